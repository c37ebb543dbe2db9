const isRoot = process.getuid?.() === 0;

/** Root may read and write anywhere, so as root this steps down for the time of `attempt`. */
export async function asOrdinaryUser(attempt: () => Promise<void>): Promise<void> {
  if (!isRoot) return attempt();
  process.setegid?.(65_534);
  process.seteuid?.(65_534);
  try {
    await attempt();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
  }
}
