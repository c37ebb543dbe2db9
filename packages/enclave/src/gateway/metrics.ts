/** Numbers for whoever runs the box: coarse, with labels out of closed lists, so that nothing of a caller shows in them. */

/** How a request ended, as far as a host may know. */
export type MetricOutcome = "answered" | "refused" | "failed" | "broken";

/** Counts since the start of the box. */
export interface Metrics {
  count(outcome: MetricOutcome): void;
  /** Prometheus text format, version 0.0.4. */
  text(state: { readonly ready: boolean; readonly restarts: number }): string;
}

const outcomes: readonly MetricOutcome[] = ["answered", "refused", "failed", "broken"];

/**
 * Counters that are shown in steps: exact numbers would tell a host which of its own packets was which request. A count is
 * rounded down to two significant digits, and small ones to tens.
 */
export function createMetrics(): Metrics {
  const counts = new Map<MetricOutcome, number>(outcomes.map((outcome) => [outcome, 0]));
  return {
    count: (outcome) => void counts.set(outcome, (counts.get(outcome) ?? 0) + 1),
    text({ ready, restarts }) {
      const lines = outcomes.map(
        (each) => `blindbox_requests_total{outcome="${each}"} ${coarse(counts.get(each) ?? 0)}`,
      );
      return [
        "# HELP blindbox_requests_total Requests by how they ended, rounded down.",
        "# TYPE blindbox_requests_total counter",
        ...lines,
        "# HELP blindbox_app_ready Whether the application is ready.",
        "# TYPE blindbox_app_ready gauge",
        `blindbox_app_ready ${ready ? 1 : 0}`,
        "# HELP blindbox_app_restarts_total Times that the application was started anew.",
        "# TYPE blindbox_app_restarts_total counter",
        `blindbox_app_restarts_total ${restarts}`,
        "",
      ].join("\n");
    },
  };
}

/** Rounded down to two significant digits, at least to tens. */
export function coarse(count: number): number {
  const step = Math.max(10, 10 ** (Math.floor(Math.log10(Math.max(1, count))) - 1));
  return Math.floor(count / step) * step;
}
