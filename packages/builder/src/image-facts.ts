import type { ImageFacts } from "@blindbox/manifest/source";
import type { SourceImage } from "./image/source-image.ts";
import { resolveUser } from "./rootfs/accounts.ts";
import type { DirectoryNode } from "./rootfs/tree.ts";

/** What container engines set where an image says nothing; images that name programs without a path rest on it. */
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * What the image says of itself, for the Manifest. `user` takes the place of the image's, which is then not looked up.
 * Throws a BuildError when the image's user is not in its own account files.
 */
export function imageFacts(image: SourceImage, root: DirectoryNode, user: ImageFacts["user"] | undefined): ImageFacts {
  const { entrypoint, command, env, workingDir } = image.config;
  return {
    digest: image.digest,
    entrypoint,
    command,
    env: "PATH" in env ? env : { PATH: defaultPath, ...env },
    user: user ?? resolveUser(root, image.config.user),
    workingDir,
  };
}
