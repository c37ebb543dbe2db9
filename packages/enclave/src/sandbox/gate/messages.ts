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

/** From the gate. `connected` comes with the socket. */
export type GateMessage =
  | { readonly ready: true }
  | { readonly dial: number; readonly connected: true }
  | { readonly dial: number; readonly connected: false; readonly code: string };
