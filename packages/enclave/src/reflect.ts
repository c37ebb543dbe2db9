/**
 * The certificate library's dependency injection refuses to load without these three functions of the Reflect metadata
 * proposal. It only asks for annotations, of which there are none, so the answer "none" is complete. Must be imported
 * before that library.
 */
const noAnnotations = (): undefined => undefined;

for (const name of ["getMetadata", "getOwnMetadata", "defineMetadata"]) {
  if (!Reflect.has(Reflect, name)) Reflect.set(Reflect, name, noAnnotations);
}
