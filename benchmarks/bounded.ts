/** Benchmarks end: the other programs that they started end with this one, whatever ends it. */

/** Milliseconds. Each takes a quarter of it on the machine that docs/benchmarks.md names. */
const most = 60_000;

/** Runs one benchmark; ends the whole program when that takes longer than a minute. */
export async function bounded<T>(measure: () => Promise<T>): Promise<T> {
  const late = setTimeout(() => {
    console.error("the benchmark took longer than a minute");
    process.exit(1);
  }, most);
  // Without these the program would end at once, and `exit`, on which others clean up, would not be emitted.
  const exit = (): void => process.exit(1);
  process.once("SIGINT", exit).once("SIGTERM", exit);
  try {
    return await measure();
  } finally {
    clearTimeout(late);
    process.off("SIGINT", exit).off("SIGTERM", exit);
  }
}
