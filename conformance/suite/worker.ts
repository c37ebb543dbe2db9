/** Entry for workerd: the pack is the request's body, the answers are the response's. */
import { answersText, runSuite, type Pack } from "./suite.ts";

const worker = {
  async fetch(request: Request): Promise<Response> {
    return new Response(answersText(await runSuite((await request.json()) as Pack)));
  },
};

// workerd asks for a default export.
// oxlint-disable-next-line import/no-default-export
export { worker as default };
