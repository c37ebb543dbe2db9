/** What the fake Intel says: TCB info and QE identity as objects, so that a test can change any part of them. */
import { NOW } from "../vendor.ts";
import { qeSigner } from "./quote.ts";

const iso = (seconds: number): string => new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
const upperHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex").toUpperCase();

export interface Level {
  readonly tcb: { readonly isvsvn: number };
  readonly tcbDate: string;
  readonly tcbStatus: string;
  readonly advisoryIDs?: readonly string[];
}

export interface Component {
  readonly svn: number;
  readonly category?: string;
}

export interface PlatformLevel {
  readonly tcb: {
    readonly sgxtcbcomponents: readonly Component[];
    readonly pcesvn: number;
    readonly tdxtcbcomponents: readonly Component[];
  };
  readonly tcbDate: string;
  readonly tcbStatus: string;
  readonly advisoryIDs?: readonly string[];
}

export interface Module {
  readonly mrsigner: string;
  readonly attributes: string;
  readonly attributesMask: string;
}

export type TcbInfoText = ReturnType<typeof rightTcbInfo>;
export type QeIdentityText = ReturnType<typeof rightQeIdentity>;

export const FMSPC = "90c06f000000";
export const SGX_TCB = [4, 4, 2, 2, 4, 1, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0];
export const PCE_SVN = 13;

export function level(isvsvn: number, tcbStatus: string, ...advisoryIDs: readonly string[]): Level {
  return {
    tcb: { isvsvn },
    tcbDate: "2024-11-13T00:00:00Z",
    tcbStatus,
    ...(advisoryIDs.length > 0 && { advisoryIDs }),
  };
}

const components = (svns: readonly number[]): readonly Component[] => svns.map((svn) => ({ svn, category: "BIOS" }));
const tdxSvns = (module: number, microcode: number): readonly number[] => [module, 0, microcode, ...Array(13).fill(0)];

export function platformLevel(change: {
  readonly sgx?: readonly number[];
  readonly pcesvn?: number;
  readonly tdx?: readonly number[];
  readonly status?: string;
  readonly advisories?: readonly string[];
}): PlatformLevel {
  return {
    tcb: {
      sgxtcbcomponents: components(change.sgx ?? SGX_TCB),
      pcesvn: change.pcesvn ?? PCE_SVN,
      tdxtcbcomponents: components(change.tdx ?? tdxSvns(5, 8)),
    },
    tcbDate: "2024-11-13T00:00:00Z",
    tcbStatus: change.status ?? "UpToDate",
    ...(change.advisories !== undefined && { advisoryIDs: change.advisories }),
  };
}

const older = [3, 3, 2, 2, 3, 1, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0];

const module = { mrsigner: "00".repeat(48), attributes: "00".repeat(8), attributesMask: "FF".repeat(8) };

export function rightTcbInfo() {
  return {
    id: "TDX",
    version: 3,
    issueDate: iso(NOW - 86_400),
    nextUpdate: iso(NOW + 29 * 86_400),
    fmspc: FMSPC.toUpperCase(),
    pceId: "0000",
    tcbType: 0,
    tcbEvaluationDataNumber: 18,
    tdxModule: module,
    tdxModuleIdentities: [
      { id: "TDX_03", ...module, tcbLevels: [level(3, "UpToDate")] },
      {
        id: "TDX_01",
        ...module,
        tcbLevels: [level(6, "UpToDate"), level(4, "OutOfDate", "INTEL-SA-01099", "INTEL-SA-01036")],
      },
    ],
    tcbLevels: [
      platformLevel({}),
      platformLevel({ sgx: older, tdx: tdxSvns(5, 3), status: "OutOfDate", advisories: ["INTEL-SA-01079"] }),
    ],
  };
}

export function rightQeIdentity() {
  return {
    id: "TD_QE",
    version: 2,
    issueDate: iso(NOW - 86_400),
    nextUpdate: iso(NOW + 29 * 86_400),
    tcbEvaluationDataNumber: 18,
    miscselect: "00000000",
    miscselectMask: "FFFFFFFF",
    attributes: "11000000000000000000000000000000",
    attributesMask: "FBFFFFFFFFFFFFFF0000000000000000",
    mrsigner: upperHex(qeSigner),
    isvprodid: 2,
    tcbLevels: [level(4, "UpToDate"), level(2, "OutOfDate", "INTEL-SA-00615")],
  };
}
