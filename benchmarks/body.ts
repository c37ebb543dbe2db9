/** What every server of the benchmarks answers: 200 bytes of JSON. */
export const body: string = JSON.stringify({ text: "x".repeat(200 - '{"text":""}'.length) });
