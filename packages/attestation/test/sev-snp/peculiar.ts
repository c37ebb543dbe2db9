/** The certificate library that serves as an independent reader. It asks for three functions of a proposal, and never for what they return. */
for (const name of ["getMetadata", "getOwnMetadata", "defineMetadata"]) {
  if (!Reflect.has(Reflect, name)) Reflect.set(Reflect, name, () => undefined);
}

export const { X509Certificate: PeculiarCertificate } = await import("@peculiar/x509");
