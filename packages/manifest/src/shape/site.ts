import type { Problem } from "../problem.ts";

/** A place in a document, and where its problems are collected. */
export interface Site {
  readonly path: string;
  /** The place of a member of the map that is here. */
  member(name: string): Site;
  /** The place of an item of the list that is here, counted from 0. */
  item(index: number): Site;
  /** Adds a problem of this place. Answers undefined, which a shape's `read` answers for a value that it refuses. */
  problem(expected: string, actual: string, hint?: string): undefined;
}

/** The path of a whole document. */
export const DOCUMENT = "document";

/** The place of a whole document. Problems are added to `problems`. */
export function documentSite(problems: Problem[]): Site {
  return siteAt(DOCUMENT, problems);
}

function siteAt(path: string, problems: Problem[]): Site {
  return {
    path,
    member: (name) => siteAt(path === DOCUMENT ? printable(name) : `${path}.${printable(name)}`, problems),
    item: (index) => siteAt(path === DOCUMENT ? `[${index}]` : `${path}[${index}]`, problems),
    problem(expected, actual, hint) {
      problems.push({ path, expected, actual, ...(hint === undefined ? {} : { hint }) });
      return undefined;
    },
  };
}

// A name in a hostile document must not paint the terminal of whoever reads the problem.
function printable(name: string): string {
  return /^[A-Za-z0-9_.#<-]{1,64}$/.test(name) ? name : `(a name of ${name.length} characters)`;
}
