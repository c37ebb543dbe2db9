/** One virtual address for each name that the application may dial, kept for the whole boot. */
import { createBudget, type BudgetLimits } from "../budget.ts";

export interface NameLimits {
  /** Distinct names below wildcards in one boot: each is a word that the application sends to whoever sees our DNS. */
  readonly wildcardNames: number;
  /** How fast they may come. */
  readonly newNames: BudgetLimits;
}

export const nameLimits: NameLimits = Object.freeze({
  wildcardNames: 256,
  newNames: { burst: 32, perMinute: 30 },
});

export interface VirtualAddressesOptions {
  /** Names that rules write out. They have addresses from the start, whatever else is asked for. */
  readonly hosts: readonly string[];
  /** Milliseconds. */
  readonly now: () => number;
  /** Left out: {@link nameLimits}. */
  readonly limits?: NameLimits;
}

/** The address of a name, or why there is none. */
export type Assignment =
  | { readonly address: string; readonly isNew: boolean }
  | { readonly refused: "refused-name-limit" | "refused-name-rate" };

/** Which name stands at which address. No address ever stands for two names, and no name has two. */
export interface VirtualAddresses {
  /** For a name, as `normalizeHostName` answers it, that a rule covers. */
  assign(name: string): Assignment;
  nameAt(address: string): string | null;
}

/** 198.18.0.1: the block 198.18.0.0/15 (RFC 2544) is nobody's on the internet. */
const first = 0xc6_12_00_01;
/** 198.19.255.254 */
const last = 0xc6_13_ff_fe;

/** @throws TypeError where there are more hosts than addresses: 131,070. */
export function createVirtualAddresses({ hosts, now, limits = nameLimits }: VirtualAddressesOptions): VirtualAddresses {
  const names = new Set(hosts);
  if (names.size + limits.wildcardNames > last - first + 1) throw new TypeError("hosts: more than there are addresses");
  const addresses = new Map<string, string>();
  const nameAt = new Map<string, string>();
  const add = (name: string): string => {
    const address = formatIpv4(first + addresses.size);
    addresses.set(name, address);
    nameAt.set(address, name);
    return address;
  };
  for (const name of names) add(name);
  const budget = createBudget(limits.newNames, now);
  return {
    assign(name) {
      const known = addresses.get(name);
      if (known !== undefined) return { address: known, isNew: false };
      if (addresses.size - names.size >= limits.wildcardNames) return { refused: "refused-name-limit" };
      return budget.take() ? { address: add(name), isNew: true } : { refused: "refused-name-rate" };
    },
    nameAt: (address) => nameAt.get(address) ?? null,
  };
}

function formatIpv4(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff).join(".");
}
