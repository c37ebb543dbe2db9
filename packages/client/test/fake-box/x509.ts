/** The certificate library asks for three functions of the Reflect metadata proposal, and never for what they return. */
for (const name of ["getMetadata", "getOwnMetadata", "defineMetadata"]) {
  if (!Reflect.has(Reflect, name)) Reflect.set(Reflect, name, () => undefined);
}

export const {
  BasicConstraintsExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  X509CertificateGenerator,
  X509CrlGenerator,
} = await import("@peculiar/x509");
