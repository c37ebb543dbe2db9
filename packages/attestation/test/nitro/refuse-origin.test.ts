/** One thing wrong with the chain, the signature or the time of a document: exactly these checks refuse it. */
import { describe, expect, test } from "vitest";
import { nitroUnder } from "../../src/nitro/tee.ts";
import {
  basicConstraints,
  caUsage,
  certSignOnly,
  crlSignOnly,
  curveKeys,
  keyUsage,
  leafUsage,
  NOW,
  sha256,
  unknownCritical,
  unknownNotCritical,
  type CertificateSpec,
  type Identity,
} from "../vendor.ts";
import { name } from "../der.ts";
import { wrongSignatures } from "../scalars.ts";
import { asked, refusals, refusalsOf } from "./appraise.ts";
import { keysOf, mintAws, RANKS, VALIDITY, type AwsChange, type Rank } from "./vendor.ts";

type Row = readonly [string, AwsChange, readonly string[]];

function refused(rows: readonly Row[]): void {
  test.each(rows)("%s", async (_name, change, expected) => {
    expect(await refusals(change)).toEqual(expected);
  });
}

const foreign = curveKeys("P-384");
const p256 = curveKeys("P-256");
const minted = (rank: Rank, change: Partial<CertificateSpec>): AwsChange => ({ certificates: { [rank]: change } });
const right = mintAws().identities;
/** The same names, numbers, dates and extensions, signed by nobody of the fake AWS. */
const selfMade = mintAws({
  certificates: Object.fromEntries(RANKS.map((rank) => [rank, { keys: curveKeys("P-384"), serial: "41" }])),
});
const selfMadeChain = RANKS.map((rank) => selfMade.identities[rank].der);

describe("the root", () => {
  refused([
    ["one of somebody else's", minted("root", { serial: "99" }), ["pinned-root: untrusted-root"]],
    [
      "a bundle in reverse order",
      { cabundle: (bundle) => bundle.toReversed() },
      [
        "pinned-root: untrusted-root",
        "certificate-issuer cabundle[1]: bad-chain",
        "certificate-issuer cabundle[2]: bad-chain",
        "certificate-issuer cabundle[3]: bad-chain",
        "certificate-issuer enclave: bad-chain",
        "certificate-signature cabundle[1]: bad-chain",
        "certificate-signature cabundle[2]: bad-chain",
        "certificate-signature cabundle[3]: bad-chain",
        "certificate-signature enclave: bad-chain",
        "certificate-authority root: bad-chain",
        "certificate-authority cabundle[1]: bad-chain",
      ],
    ],
    [
      "the root last",
      { cabundle: ([root, ...rest]) => [...rest, ...(root === undefined ? [] : [root])] },
      [
        "pinned-root: untrusted-root",
        "certificate-issuer cabundle[3]: bad-chain",
        "certificate-issuer enclave: bad-chain",
        "certificate-signature cabundle[3]: bad-chain",
        "certificate-signature enclave: bad-chain",
        "certificate-authority root: bad-chain",
        "certificate-authority cabundle[1]: bad-chain",
        "certificate-authority cabundle[2]: bad-chain",
      ],
    ],
    [
      "a foreign root before the right chain",
      { cabundle: (bundle) => [selfMade.identities.root.der, ...bundle] },
      ["pinned-root: untrusted-root", "certificate-signature cabundle[1]: bad-chain"],
    ],
    [
      "the leaf in its place",
      { cabundle: (bundle) => bundle.with(0, selfMade.identities.enclave.der) },
      [
        "pinned-root: untrusted-root",
        "certificate-issuer cabundle[1]: bad-chain",
        "certificate-signature cabundle[1]: bad-chain",
        "certificate-authority root: bad-chain",
      ],
    ],
    [
      "the root alone in the bundle",
      { cabundle: (bundle) => bundle.slice(0, 1) },
      ["certificate-issuer enclave: bad-chain", "certificate-signature enclave: bad-chain"],
    ],
    ["no root in the bundle", { cabundle: (bundle) => bundle.slice(1) }, ["pinned-root: untrusted-root"]],
  ]);

  test.each<readonly [string, Partial<CertificateSpec>, readonly string[]]>([
    ["expired", { notAfter: NOW - 1 }, ["certificate-validity root: expired", "document-time: expired"]],
    ["no CA", { extensions: [basicConstraints(false), caUsage] }, ["certificate-authority root: bad-chain"]],
    [
      "of a chain too short",
      { extensions: [basicConstraints(true, 2), caUsage] },
      ["certificate-authority root: bad-chain"],
    ],
  ])("a pinned one that is %s", async (_name, change, expected) => {
    const { bytes, identities } = mintAws({ timestamp: NOW * 1000, certificates: { root: change } });
    const tee = nitroUnder([Buffer.from(sha256(identities.root.der)).toString("hex")]);
    expect(await refusalsOf(bytes, asked({ tee }))).toEqual(expected);
  });
});

describe("a chain that somebody made with the same names, dates and extensions", () => {
  const leaf = { certificate: () => selfMade.identities.enclave.der, signer: selfMade.identities.enclave.keys };
  refused([
    ["under its own root", { ...leaf, cabundle: () => selfMadeChain.slice(0, 4) }, ["pinned-root: untrusted-root"]],
    [
      "with AWS's root in the place of its own",
      { ...leaf, cabundle: () => [right.root.der, ...selfMadeChain.slice(1, 4)] },
      ["certificate-signature cabundle[1]: bad-chain"],
    ],
    [
      "behind AWS's root",
      { ...leaf, cabundle: () => [right.root.der, ...selfMadeChain.slice(0, 4)] },
      ["certificate-signature cabundle[1]: bad-chain"],
    ],
    [
      "with AWS's root at its end",
      { ...leaf, cabundle: () => [...selfMadeChain.slice(0, 4), right.root.der] },
      [
        "pinned-root: untrusted-root",
        "certificate-issuer cabundle[4]: bad-chain",
        "certificate-issuer enclave: bad-chain",
        "certificate-signature cabundle[4]: bad-chain",
        "certificate-signature enclave: bad-chain",
        "certificate-authority cabundle[1]: bad-chain",
        "certificate-authority cabundle[2]: bad-chain",
        "certificate-authority cabundle[3]: bad-chain",
      ],
    ],
    [
      "hung below AWS's instance",
      { ...leaf, cabundle: (bundle) => bundle },
      ["certificate-signature enclave: bad-chain"],
    ],
  ]);
});

describe("a certificate in the wrong place", () => {
  const dropped = (at: number): AwsChange => ({ cabundle: (bundle) => bundle.filter((_, index) => index !== at) });
  refused([
    [
      "no regional one",
      dropped(1),
      ["certificate-issuer cabundle[1]: bad-chain", "certificate-signature cabundle[1]: bad-chain"],
    ],
    [
      "no zonal one",
      dropped(2),
      ["certificate-issuer cabundle[2]: bad-chain", "certificate-signature cabundle[2]: bad-chain"],
    ],
    [
      "the zonal one in the place of the instance's",
      dropped(3),
      ["certificate-issuer enclave: bad-chain", "certificate-signature enclave: bad-chain"],
    ],
    [
      "two issuers swapped",
      {
        cabundle: ([root, regional, zonal, instance]) =>
          [root, zonal, regional, instance].filter((der) => der !== undefined),
      },
      [
        "certificate-issuer cabundle[1]: bad-chain",
        "certificate-issuer cabundle[2]: bad-chain",
        "certificate-issuer cabundle[3]: bad-chain",
        "certificate-signature cabundle[1]: bad-chain",
        "certificate-signature cabundle[2]: bad-chain",
        "certificate-signature cabundle[3]: bad-chain",
        "certificate-authority cabundle[1]: bad-chain",
      ],
    ],
    [
      "an unrelated one between",
      { cabundle: (bundle) => bundle.toSpliced(2, 0, selfMade.identities.zonal.der) },
      [
        "certificate-issuer cabundle[3]: bad-chain",
        "certificate-signature cabundle[2]: bad-chain",
        "certificate-signature cabundle[3]: bad-chain",
        "certificate-authority cabundle[1]: bad-chain",
        "certificate-authority cabundle[2]: bad-chain",
      ],
    ],
    [
      "the enclave's one issued by another enclave's",
      secondEnclave(),
      [1, 2, 3, 4].map((at) => `certificate-authority cabundle[${at}]: bad-chain`),
    ],
  ]);
});

/** An enclave's key that signs a certificate for another. */
function secondEnclave(): AwsChange {
  const { enclave } = right;
  const second = mintAws(minted("enclave", { issuer: enclave, subject: name("Second"), keys: foreign })).identities
    .enclave;
  return { cabundle: (bundle) => [...bundle, enclave.der], certificate: () => second.der, signer: foreign };
}

describe("what a certificate says of itself", () => {
  const ranks = ["regional", "zonal", "instance"] as const;
  const roomBelow = { regional: 2, zonal: 1, instance: 0 } as const;
  const at = { regional: 1, zonal: 2, instance: 3 } as const;
  const refusal = (rank: keyof typeof at): readonly string[] => [
    `certificate-authority cabundle[${at[rank]}]: bad-chain`,
  ];
  refused(
    ranks.flatMap((rank): readonly Row[] => [
      [`${rank}: no CA`, minted(rank, { extensions: [basicConstraints(false), caUsage] }), refusal(rank)],
      [`${rank}: no basic constraints`, minted(rank, { extensions: [caUsage] }), refusal(rank)],
      [`${rank}: no key usage`, minted(rank, { extensions: [basicConstraints(true, roomBelow[rank])] }), refusal(rank)],
      [
        `${rank}: no keyCertSign`,
        minted(rank, { extensions: [basicConstraints(true, roomBelow[rank]), crlSignOnly] }),
        refusal(rank),
      ],
      [
        `${rank}: a critical extension that nobody knows`,
        minted(rank, { extensions: [basicConstraints(true, roomBelow[rank]), caUsage, unknownCritical] }),
        [`certificate-extensions cabundle[${at[rank]}]: bad-chain`],
      ],
    ]),
  );
  refused([
    [
      "regional: a path length of 1",
      minted("regional", { extensions: [basicConstraints(true, 1), caUsage] }),
      refusal("regional"),
    ],
    [
      "zonal: a path length of 0",
      minted("zonal", { extensions: [basicConstraints(true, 0), caUsage] }),
      refusal("zonal"),
    ],
    [
      "enclave: a CA",
      minted("enclave", { extensions: [basicConstraints(true), leafUsage] }),
      ["certificate-use enclave: bad-chain"],
    ],
    [
      "enclave: a key for certificates",
      minted("enclave", { extensions: [basicConstraints(false), certSignOnly] }),
      ["certificate-use enclave: bad-chain", "leaf-key-usage enclave: bad-chain"],
    ],
    [
      "enclave: a key for documents and certificates",
      minted("enclave", { extensions: [basicConstraints(false), keyUsage(0, 5)] }),
      ["leaf-key-usage enclave: bad-chain"],
    ],
    [
      "enclave: a key for documents and CRLs",
      minted("enclave", { extensions: [basicConstraints(false), keyUsage(0, 6)] }),
      ["leaf-key-usage enclave: bad-chain"],
    ],
    [
      "enclave: no key usage",
      minted("enclave", { extensions: [basicConstraints(false)] }),
      ["leaf-key-usage enclave: bad-chain"],
    ],
    [
      "enclave: a critical extension that nobody knows",
      minted("enclave", { extensions: [basicConstraints(false), leafUsage, unknownCritical] }),
      ["certificate-extensions enclave: bad-chain"],
    ],
    [
      "enclave: an extension that nobody has to know",
      minted("enclave", { extensions: [leafUsage, unknownNotCritical] }),
      [],
    ],
  ]);
});

describe("signatures", () => {
  const below: Readonly<Record<Exclude<Rank, "enclave">, string>> = {
    root: "cabundle[1]",
    regional: "cabundle[2]",
    zonal: "cabundle[3]",
    instance: "enclave",
  };
  refused(
    Object.entries(below).map(([rank, subject]): Row => {
      const issuer: Identity = { ...right[rank as Rank], keys: foreign };
      const next = RANKS[RANKS.indexOf(rank as Rank) + 1] ?? "enclave";
      return [
        `of ${subject} by a foreign key`,
        minted(next, { issuer }),
        [`certificate-signature ${subject}: bad-chain`],
      ];
    }),
  );
  refused([
    [
      "of a certificate by a key on P-256",
      { certificates: { instance: { keys: p256 }, enclave: { issuer: { ...right.instance, keys: p256 } } } },
      ["certificate-signature enclave: bad-chain"],
    ],
    ["of the document by another key", { signer: foreign }, ["evidence-signature: bad-signature"]],
    ["of the document by its issuer", { signer: keysOf.instance }, ["evidence-signature: bad-signature"]],
    [
      "of the document by a key on P-256",
      { ...minted("enclave", { keys: p256 }), signer: foreign },
      ["evidence-signature: bad-signature"],
    ],
    ...Object.entries(wrongSignatures).map(
      ([what, signature]): Row => [`of the document: ${what}`, { signature }, ["evidence-signature: bad-signature"]],
    ),
  ]);
});

describe("time", () => {
  test.each(RANKS)("one second outside the validity of the certificate %s", async (rank) => {
    const subject = rank === "root" || rank === "enclave" ? rank : `cabundle[${RANKS.indexOf(rank)}]`;
    for (const [edge, code] of [
      [{ notBefore: NOW + 1 }, "not-yet-valid"],
      [{ notAfter: NOW - 1 }, "expired"],
    ] as const) {
      const { bytes, identities } = mintAws({ timestamp: NOW * 1000, certificates: { [rank]: edge } });
      const tee = nitroUnder([Buffer.from(sha256(identities.root.der)).toString("hex")]);
      expect(await refusalsOf(bytes, asked({ tee }))).toEqual([
        `certificate-validity ${subject}: ${code}`,
        `document-time: ${code}`,
      ]);
    }
  });

  test("a document of a time at which its chain was not valid", async () => {
    const { notBefore, notAfter } = VALIDITY.enclave;
    expect(await refusals({ timestamp: notBefore * 1000 - 1 }, { now: notBefore })).toEqual([
      "document-time: not-yet-valid",
    ]);
    expect(await refusals({ timestamp: (notAfter + 1) * 1000 }, { now: notAfter })).toEqual(["document-time: expired"]);
  });

  test("a document that is too old, or too far ahead", async () => {
    const refusal = ["evidence-age: evidence-too-old"];
    expect(await refusals({ timestamp: (NOW - 301) * 1000 + 999 })).toEqual(refusal);
    expect(await refusals({ timestamp: (NOW + 301) * 1000 })).toEqual(refusal);
  });
});

describe("Endorsements", () => {
  test.each([[null], [[]], [""], [0], [true], [{ chain: [] }], [{ crls: [] }]])(
    "that are %j and not {}",
    async (endorsements) => {
      expect(await refusals({}, { endorsements })).toEqual(["endorsements-form: bad-encoding"]);
    },
  );
});
