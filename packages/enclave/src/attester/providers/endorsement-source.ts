/** Endorsements to staple: those of the last time at once, and new ones in time, so that no caller waits for a vendor. */
import {
  type Endorser,
  EndorserError,
  type EndorsementSubject,
  type FetchedEndorsements,
  type Given,
} from "@blindbox/attestation/endorsers";
import { canonicalJson, type JsonValue } from "@blindbox/encoding";
import { within } from "../../within.ts";

/** Gives the Endorsements of a machine. */
export interface EndorsementSource {
  /**
   * In the form that the Verifier of that TEE reads. They are never older than they say, and never expired by this
   * machine's clock; whether they are enough is the Verifier's to say.
   *
   * @throws EndorserError where there are none and the vendor gives none, or expired ones.
   */
  endorse(subject: EndorsementSubject, given: Given): Promise<JsonValue>;
}

export interface EndorsementSourceOptions {
  /** Keeps what vendors answered, and asks them anew where that is due. */
  readonly endorser: Pick<Endorser, "fetch" | "recall">;
  /** Seconds since 1970. */
  readonly now: () => number;
  /** Told each time that asking failed, while older Endorsements are still good too. */
  readonly onFailure: (error: Error) => void;
}

/** Seconds. After `check` it is looked for newer ones, beside the answer; after `wait` before the answer. */
const ages = { check: 3600, wait: 86_400 };
/** Seconds before a vendor that did not answer is asked again. */
const pause = 60;
/** Milliseconds that a caller waits for newer Endorsements while there are good ones. */
const newerMs = 3_000;

interface Good {
  readonly key: string;
  readonly endorsements: JsonValue;
  readonly checked: number;
  /** When the first of them expires: seconds since 1970. */
  readonly expires: number;
}

/** Makes a source that remembers the Endorsements of one machine, the last that it was asked for. */
export function createEndorsementSource(options: EndorsementSourceOptions): EndorsementSource {
  const state = new SourceState(options);
  return {
    async endorse(subject, given) {
      const key = keyOf(subject, given);
      const good = state.current(key) ?? (await state.recall(key, subject, given));
      const age = good === null ? null : options.now() - good.checked;
      // An age below zero: the clock went back, and nothing is known of how old they are.
      if (good !== null && age !== null && age >= 0 && age < ages.check) return good.endorsements;
      const failing = state.isFailing(key);
      const newer = state.refresh(key, subject, given);
      if (good === null) return (await newer).endorsements;
      newer.catch(() => undefined);
      const mayWait = age === null || age < 0 || age >= ages.wait;
      // A vendor that is out of reach, as for a machine with no network, holds up one caller and no further ones.
      if (!mayWait || failing) return good.endorsements;
      return (await within(newerMs, newer).catch(() => good)).endorsements;
    },
  };
}

function keyOf(subject: EndorsementSubject, { ek, uvm }: Given): string {
  const given = [ek, uvm].map((bytes) => (bytes === null ? null : Buffer.from(bytes).toString("base64url")));
  return canonicalJson([{ ...subject }, given]);
}

class SourceState {
  readonly #options: EndorsementSourceOptions;
  #good: Good | null = null;
  #pending: { readonly key: string; readonly work: Promise<Good> } | null = null;
  #failed: { readonly key: string; readonly at: number; readonly error: Error } | null = null;

  constructor(options: EndorsementSourceOptions) {
    this.#options = options;
  }

  current(key: string): Good | null {
    const good = this.#good;
    return good !== null && good.key === key && this.#options.now() < good.expires ? good : null;
  }

  isFailing(key: string): boolean {
    return this.#failed?.key === key;
  }

  /** What was imported, or kept: good enough to go on with, and to be looked after at once. */
  async recall(key: string, subject: EndorsementSubject, given: Given): Promise<Good | null> {
    const { endorser, now } = this.#options;
    try {
      const kept = await askEither((each) => endorser.recall(subject, each), subject, given, now);
      return this.#keep(key, kept, now() - ages.check);
    } catch (error) {
      if (error instanceof EndorserError) return null;
      throw error;
    }
  }

  /** One at a time; a vendor that has just failed is left alone for a while. */
  refresh(key: string, subject: EndorsementSubject, given: Given): Promise<Good> {
    const failed = this.#failed?.key === key ? this.#failed : null;
    const since = failed === null ? pause : this.#options.now() - failed.at;
    if (failed !== null && since >= 0 && since < pause) return Promise.reject(failed.error);
    if (this.#pending?.key !== key) {
      const work = this.#fetch(key, subject, given).finally(() => {
        if (this.#pending?.key === key) this.#pending = null;
      });
      this.#pending = { key, work };
    }
    return this.#pending.work;
  }

  async #fetch(key: string, subject: EndorsementSubject, given: Given): Promise<Good> {
    const { endorser, now, onFailure } = this.#options;
    try {
      const fetched = await askEither((each) => endorser.fetch(subject, each), subject, given, now);
      for (const { failure } of fetched.parts) if (failure !== null) onFailure(failure);
      this.#failed = null;
      return this.#keep(key, fetched, now());
    } catch (error) {
      const failure = error instanceof Error ? error : new Error("unknown error");
      this.#failed = { key, at: now(), error: failure };
      onFailure(failure);
      throw failure;
    }
  }

  #keep(key: string, { endorsements, dated }: FetchedEndorsements, checked: number): Good {
    const expires = Math.min(...dated.map((each) => each.expires));
    const good = { key, endorsements, checked, expires };
    this.#good = good;
    return good;
  }
}

/** A host may hand over the certificate of an older firmware, or an expired one; AMD has the right one, of a VCEK at least. */
async function askEither(
  ask: (given: Given) => Promise<FetchedEndorsements>,
  subject: EndorsementSubject,
  given: Given,
  now: () => number,
): Promise<FetchedEndorsements> {
  try {
    return demandUnexpired(await ask(given), now());
  } catch (error) {
    const isAboutEk = error instanceof EndorserError && error.field === "ek" && given.ek !== null;
    if (!isAboutEk || subject.tee !== "sev-snp" || subject.key !== "vcek") throw error;
    return demandUnexpired(await ask({ ...given, ek: null }), now());
  }
}

/** An Endorser hands on what is past its date, for a Verifier to judge. Nobody would accept a box that staples it. */
function demandUnexpired(fetched: FetchedEndorsements, now: number): FetchedEndorsements {
  const expired = fetched.dated.find(({ expires }) => expires <= now);
  if (expired === undefined) return fetched;
  throw new EndorserError({
    code: "missing",
    field: expired.name,
    expected: "one that is valid by this machine's clock",
    actual: "one that has expired",
    hint: "compare this machine's clock; where it is right, the vendor or host is late and is asked again",
  });
}
