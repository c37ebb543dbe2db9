/**
 * Headers by which common servers and frameworks take another method than that of the request. They never reach the
 * application, but for one that the rule in force lists with its values. Lower case.
 */
export const METHOD_OVERRIDES: ReadonlySet<string> = new Set([
  "http-method-override",
  "method-override",
  "x-http-method",
  "x-http-method-override",
  "x-http-methodoverride",
  "x-method",
  "x-method-override",
  "x-methodoverride",
  "x-override-method",
]);
