/** What the supervisor and the gate say to each other over Node's IPC. Types only: the gate is a program of its own. */

/** Given on the gate's command line, as JSON. */
export interface GateConfiguration {
  /** Address and port of the application, as the gate reaches it. */
  readonly host: string;
  readonly port: number;
  /** Milliseconds until an attempt to connect is given up. */
  readonly connectDeadline: number;
}

/** To the gate: connect to the application. */
export interface DialRequest {
  readonly dial: number;
}

/** To the gate, once its network is there: listen on every address on these ports, and for DNS on one address. */
export interface ListenRequest {
  readonly ports: readonly number[];
  readonly dns: { readonly host: string; readonly port: number };
}

export type GateRequest = DialRequest | ListenRequest;

/** What a socket that the gate hands over is for: a port of the policy, or DNS. */
export type ListenPurpose = number | "dns" | "dns-datagrams";

/** From the gate. `connected` comes with the socket, and so does `listens`. */
export type GateMessage =
  | { readonly ready: true }
  | { readonly dial: number; readonly connected: true }
  | { readonly dial: number; readonly connected: false; readonly code: string }
  | ListenMessage;

/** `opened` is the last one: the gate has no socket any more that it handed over. */
export type ListenMessage =
  | { readonly listens: ListenPurpose }
  | { readonly opened: true }
  | { readonly opened: false; readonly code: string };
