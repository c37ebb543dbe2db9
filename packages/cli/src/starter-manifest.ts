import { ManifestError, type Problem } from "@blindbox/manifest";
import { parseManifestSource } from "@blindbox/manifest/source";

/** What a first Manifest is filled in with. */
export interface StarterFacts {
  readonly image: string;
  readonly name: string;
  readonly port: number;
  /** How the Manifest calls its one caller. */
  readonly id: string;
  readonly keyDigest: string;
}

/** Stands where the digest of a caller's key belongs; the Manifest's own rules refuse it. */
export const placeholderDigest = "sha256:PUT-HERE-WHAT-blindbox-keys-new-PRINTS";

/** YAML takes a JSON string as it is; a plain word stays plain. */
function yamlText(text: string): string {
  return /^[A-Za-z./][\w./-]*$/.test(text) ? text : JSON.stringify(text);
}

/** The line that admits a caller. */
export function principalLine(id: string, keyDigest: string): string {
  return `- { id: ${yamlText(id)}, apiKey: "${keyDigest}" }`;
}

/** A commented `blindbox.yml` with one caller and no way out. */
export function starterManifest({ image, name, port, id, keyDigest }: StarterFacts): string {
  return `# What the box runs and what it enforces. What is not allowed here is refused.
# \`blindbox manifest check\` reads it, \`blindbox build\` makes the box from it. Every client is shown it: no secrets.
blindbox: 1
name: ${yamlText(name)}

app:
  image: ${yamlText(image)} # an OCI layout or archive; the built box names it by digest
  port: ${port} # where the app listens, inside its sandbox; ports below 1024 are open to it there
  # user: 1000                  # left out: the image's
  # env: { MODEL: small }       # added to the image's environment; nothing else is inherited
  # ready: { path: /health }    # left out: ready when the port accepts a connection
  # writable: [/var/lib/app]    # left out: nothing but /tmp; lost when the box stops
  # resources: { memory: 1GiB, cpus: 1, processes: 128, tmp: 256MiB }

access:
  # Who may call, known by the digest of a key. The key itself never stands here.
  principals:
    ${principalLine(id, keyDigest)}
  # The first rule that matches decides; no match is refused. Whoever is allowed in can be sent data by the app.
  rules:
    - { allow: [${yamlText(id)}], methods: [GET, POST], path: /**, limits: { body: 10MiB, requestsPerMinute: 600, concurrent: 32 } }

# Where the app may connect to. Empty: nowhere.
egress: []

# What the box may log: none, metadata (a line of codes for each request) or app (what the app prints, too).
logs: none
`;
}

/** What flags did to the document: every problem but that its key's digest is still missing, which `build` asks for. */
export function starterProblems(text: string): readonly Problem[] {
  try {
    parseManifestSource(text.replace(placeholderDigest, `sha256:${"0".repeat(64)}`), { format: "yaml" });
    return [];
  } catch (error) {
    if (error instanceof ManifestError) return error.problems;
    throw error;
  }
}
