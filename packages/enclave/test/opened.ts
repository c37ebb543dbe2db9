/** What a test opens, closed after it in the opposite order. */
import { afterEach } from "vitest";
import type { FakeApp } from "./fake-app.ts";
import { type Fixture, type FixtureOptions, startGateway } from "./gateway-fixture.ts";

/** Returns the function that puts a gateway before an application, for one test. */
export function boxesForOneTest(): (app: FakeApp, options?: Partial<FixtureOptions>) => Promise<Fixture> {
  const opened: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const each of opened.splice(0).reverse()) await each.close();
  });
  return async (app, options = {}) => {
    const box = await startGateway({ appPort: app.port, ...options });
    opened.push(app, box);
    return box;
  };
}
