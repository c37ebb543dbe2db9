/** Entry for a browser: the page calls the function by name. */
import { answersText, runSuite, type Pack } from "./suite.ts";

Object.assign(globalThis, { judgePack: async (pack: Pack) => answersText(await runSuite(pack)) });
