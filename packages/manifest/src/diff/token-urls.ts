import { type KeyUrl, keyUrlsOf } from "../access/key-urls.ts";
import { tokenTermsOf } from "../access/token-keys.ts";
import type { Access } from "../access/rule.ts";
import { type PolicyChange, some } from "./change.ts";

/** Where the box asks for keys of issuers that both documents name. Which keys count is compared with the callers. */
export function diffKeyUrls(before: Access, after: Access): readonly PolicyChange[] {
  const issuersOf = ({ principals }: Access) => new Set(tokenTermsOf(principals).map(({ issuer }) => issuer));
  const old = issuersOf(before);
  return [...issuersOf(after)]
    .filter((issuer) => old.has(issuer))
    .flatMap((issuer) => changeOf(issuer, urlsOf(before, issuer), urlsOf(after, issuer)));
}

function urlsOf({ principals }: Access, issuer: string): readonly KeyUrl[] {
  return keyUrlsOf(principals).filter((each) => each.issuer === issuer);
}

function changeOf(issuer: string, before: readonly KeyUrl[], after: readonly KeyUrl[]): readonly PolicyChange[] {
  const added = after.find(({ url }) => !before.some((each) => each.url === url));
  const gone = before.find(({ url }) => !after.some((each) => each.url === url));
  const place = added ?? gone;
  if (place === undefined) return [];
  const words = `keys of ${issuer} are asked for at ${wordsOf(after)} instead of ${wordsOf(before)}`;
  const document = added === undefined ? "before" : "after";
  return [{ direction: "changed", part: "access", path: place.path, document, words }];
}

function wordsOf(urls: readonly KeyUrl[]): string {
  return urls.length === 0 ? "no address" : some([...new Set(urls.map(({ url }) => url))]);
}
