/** How a rule's requests a minute are shared out: who asks much never leaves nothing to who asks little. */

/** Counts of whole seconds over the last minute. */
export interface MinuteCount {
  /** Requests started in the 60 whole seconds up to `second`. */
  total(second: number): number;
  add(second: number): void;
  /** Seconds until one of the counted requests is older than a minute; 60 where none is counted. */
  untilRoom(second: number): number;
}

/** A count of nothing yet. Seconds never go back. */
export function createMinuteCount(): MinuteCount {
  const slots = new Uint32Array(60);
  let sum = 0;
  let last = 0;
  const forget = (second: number): void => {
    const passed = Math.min(60, second - last);
    for (let age = 0; age < passed; age += 1) {
      const slot = (second - age) % 60;
      sum -= slots[slot] ?? 0;
      slots[slot] = 0;
    }
    last = second;
  };
  return {
    total(second) {
      forget(second);
      return sum;
    },
    add(second) {
      forget(second);
      slots[second % 60] = (slots[second % 60] ?? 0) + 1;
      sum += 1;
    },
    untilRoom(second) {
      forget(second);
      for (let wait = 1; wait < 60; wait += 1) if ((slots[(second + wait) % 60] ?? 0) > 0) return wait;
      return 60;
    },
  };
}

/**
 * May one more of `mine` start, where `active` principals share `limit` requests a minute of which `all` are used? Up to
 * three quarters of the limit anybody may; the last quarter is for who has used less than an equal share, of two at least:
 * so whoever comes late finds room while the others' requests grow old.
 */
export function withinShare(mine: number, all: number, limit: number, active: number): boolean {
  const reserve = Math.ceil(limit / 4);
  if (all < limit - reserve) return true;
  return all < limit && mine < limit / Math.max(2, active);
}
