/**
 * Calls `ended` once standard input ends. Whoever starts this process holds the other end of that pipe, which closes however
 * its holder ends, `kill -9` included.
 */
export function onParentEnd(ended: () => void): void {
  process.stdin.once("end", ended);
  process.stdin.once("error", ended);
  process.stdin.resume();
}
