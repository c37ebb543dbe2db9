/** Explanations of what is compared of chains and revocation lists, whosever they are. */
import type { Explanations } from "./types.ts";

const path = "RFC 5280, section 6.1";
const revocation = "RFC 5280, section 6.3";

export const certificateExplanations: Explanations = {
  "endorsements-form": ["What vendors publish is read in one strict form, or not at all.", null],
  "pinned-root": [
    "Anybody can make a chain with a vendor's names in it. It counts where it ends at the very root that is pinned here by its digest.",
    `${path}.1`,
  ],
  "certificate-issuer": [
    "Each certificate names the next as its issuer, in order, so that none can be slipped in.",
    `${path}.3`,
  ],
  "certificate-signature": [
    "Each certificate was signed by the key of the next: a name alone is anybody's.",
    `${path}.3`,
  ],
  "certificate-name": ["The certificate is of the kind that this vendor issues for this purpose.", null],
  "certificate-extensions": [
    "A critical extension that is not understood could forbid what is about to be believed.",
    "RFC 5280, section 4.2",
  ],
  "certificate-authority": [
    "A leaf cannot sign another leaf: only what is marked as an authority issues.",
    "RFC 5280, section 4.2.1.9",
  ],
  "certificate-use": ["A key that was made for something else cannot issue certificates.", "RFC 5280, section 4.2.1.3"],
  "certificate-validity": ["A key whose time is over may be in anybody's hands.", "RFC 5280, section 4.1.2.5"],
  "certificate-revocation": ["Its issuer has not said that the key was broken or stolen.", revocation],
  "crl-presence": [
    "Without a list nobody can tell whether the key was revoked; leaving it out must not help.",
    revocation,
  ],
  "crl-issuer": ["Another issuer's list does not name this certificate, whatever became of it.", revocation],
  "crl-signature": ["A host could write a list with nothing on it.", revocation],
  "crl-validity": ["A list that should have been replaced hides what was revoked since.", "RFC 5280, section 5.1.2.5"],
  "crl-number": [
    "A host could show an older list that is not expired yet, from before a revocation.",
    "RFC 5280, section 5.2.3",
  ],
  "endorsement-age": [
    "However long its issuer calls it good, news that is too old is no news: the policy sets the limit.",
    null,
  ],
};
