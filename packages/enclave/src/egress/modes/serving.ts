/** What all modes share: one connection from its first byte to its last record. */
import type { Socket } from "node:net";
import { ClientHelloError, type ClientHelloFault } from "../tls/client-hello.ts";
import { PeekError } from "../tls/peek.ts";
import type { Destination, Ledger, ServeMode } from "../contract.ts";
import { EgressError, type EgressErrorCode } from "../errors.ts";
import { recordRefusal } from "./records.ts";
import { reset } from "../../reset.ts";

/** Makes a mode of `serve`: what that throws is written down, and resets the application's connection. */
export function serving(ledger: Ledger, serve: (socket: Socket, destination: Destination) => Promise<void>): ServeMode {
  return (socket, destination) => {
    socket.on("error", () => {});
    serve(socket, destination).catch((error: unknown) => {
      reset(socket);
      recordRefusal(ledger, destination, verdictOf(error), error instanceof EgressError ? error.peer : null);
    });
  };
}

/** The verdict that stands for an error. */
export function verdictOf(error: unknown): EgressErrorCode {
  if (error instanceof EgressError) return error.code;
  if (error instanceof ClientHelloError) return helloVerdicts[error.fault];
  if (error instanceof PeekError) return "refused-hello";
  return "refused-fault";
}

const helloVerdicts: Readonly<Record<ClientHelloFault, EgressErrorCode>> = {
  malformed: "refused-hello",
  "server-name": "refused-server-name",
  encrypted: "refused-encrypted-hello",
};
