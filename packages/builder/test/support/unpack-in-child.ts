/** Unpacks an image in a process of its own: image, destination, and whether owners are kept. */
import { unpackImage } from "../../src/index.ts";

const [image = "", destination = "", owners] = process.argv.slice(2);
await unpackImage(image, destination, { preserveOwners: owners === "true" });
