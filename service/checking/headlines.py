"""Title and sentence of each headline of a check."""

from collections.abc import Mapping
from typing import Final

from service.texts.languages import N_

HEADLINES: Final[Mapping[str, tuple[str, str]]] = {
    "genuine": (N_("This badge is genuine and valid"), ""),
    "genuine-unlisted": (
        N_("Genuine, but we do not know this issuer"),
        N_("The signature is good. Find out who the issuer is before you rely on this badge."),
    ),
    "genuine-newer-copy": (
        N_("This badge is genuine, and there is a newer copy"),
        N_("It was signed here and has not been taken back. The newer copy counts now: look at that one."),
    ),
    "genuine-keys-open": (
        N_("Genuine, if the keys in this file are the issuer's"),
        N_("The person who made the file put the keys there. Compare them with a key that you have from the issuer."),
    ),
    "genuine-recipient-open": (
        N_("Genuine and valid, but we could not compare it"),
        N_("It does not name anyone in a way that we can compare."),
    ),
    "test": (
        N_("This is a practice badge"),
        N_("A network made it to try things out. Its name says TEST, and it is worth nothing."),
    ),
    "evidence-changed": (
        N_("Genuine, but its evidence has changed"),
        N_("The badge is as it was signed. Its evidence has changed since then."),
    ),
    "policy-not-followed": (
        N_("Genuine, but not decided by the published rule"),
        N_("The issuer signed it. Its own record of the decision does not show that its rule was followed."),
    ),
    "not-a-badge": (
        N_("Genuine, but not a badge"),
        N_("It is a signed statement of another kind. The signature is good."),
    ),
    "issuer-description": (
        N_("This is the page of a network or issuer"),
        N_("It is not a person's badge. Ask for the link or the file of the person's own badge."),
    ),
    "achievement-description": (
        N_("This page says what a badge stands for"),
        N_("It does not show that anybody earned it. Ask for the link or the file of the person's own badge."),
    ),
    "decision-record": (
        N_("This is the record of a decision"),
        N_("It says why a badge was awarded, and is not the badge. Ask for the link or the file of the badge itself."),
    ),
    "older-hosted": (
        N_("Its issuer confirms this badge today, without a signature"),
        N_(
            "It is a badge of the older standard (Open Badges 2.0). We asked its issuer's address, which shows it today. "
            "Nobody can prove that it was not changed since it was issued."
        ),
    ),
    "older-signed": (
        N_("Signed by its issuer, under the older standard"),
        N_(
            "The signature is good (Open Badges 2.0). It covers who the badge is for and when. What the badge stands for "
            "is what its issuer's address says today."
        ),
    ),
    "older-differs": (
        N_("This copy differs from what its issuer says today"),
        N_(
            "In the older standard only the issuer's address counts. What you see here is from that address, and not "
            "from this copy."
        ),
    ),
    "older-description": (
        N_("This describes a badge or an issuer"),
        N_("It does not show that anybody earned a badge. Ask for the link or the file of the person's own badge."),
    ),
    "older-not-reached": (
        N_("This could not be decided"),
        N_(
            "It is a badge of the older standard. Only its issuer's address can confirm it, and that address did "
            "not show it. Try again later, or ask the issuer."
        ),
    ),
    "older-kind": (
        N_("A badge of the older standard, with nothing to confirm it"),
        N_(
            "It needs a signature, or an address where its issuer keeps it. This copy has neither. Ask for the link, or "
            "for the file as it was downloaded."
        ),
    ),
    "older-revoked": (
        N_("This badge was revoked"),
        N_("It is a badge of the older standard, and its issuer took it back. Do not rely on it."),
    ),
    "older-elsewhere": (
        N_("Do not rely on this badge"),
        N_("It is at an address that its issuer does not use for badges. Anybody could have put it there."),
    ),
    "revoked": (
        N_("This badge was revoked"),
        N_("It is genuine, but its issuer took it back. Do not rely on it."),
    ),
    "replaced": (
        N_("This badge was replaced"),
        N_("Its issuer took it back and issued a new one in its place. Only the new one counts."),
    ),
    "suspended": (
        N_("This badge is suspended"),
        N_("It is genuine, and its issuer is looking into it. Do not rely on it until that is decided."),
    ),
    "expired": (
        N_("This badge has expired"),
        N_("It is genuine, but no longer valid. The person may have renewed it."),
    ),
    "not-yet-valid": (
        N_("This badge is not valid yet"),
        N_("It is genuine. By our clock, it starts later."),
    ),
    "not-theirs": (
        N_("Issued to a different address"),
        N_("People change addresses: ask the candidate."),
    ),
    "forged": (
        N_("This badge is forged"),
        N_(
            "It names this service, which knows every badge that it signed, and never signed this one. "
            "Somebody used a stolen key, or put our address on a badge of their own."
        ),
    ),
    "changed": (
        N_("Do not rely on this badge"),
        N_("It was changed after it was signed, or was never signed like this."),
    ),
    "unsigned": (
        N_("Do not rely on this badge"),
        N_("It has no signature. Anybody could have written it."),
    ),
    "other-key": (
        N_("Do not rely on this badge"),
        N_("The issuer that it names did not sign it."),
    ),
    "key-not-published": (
        N_("Do not rely on this badge"),
        N_("The key that signed it is not among those that its issuer publishes."),
    ),
    "key-ended": (
        N_("Do not rely on this badge"),
        N_("Its issuer took back the key that signed it, or the key has expired. Ask the issuer for a new copy."),
    ),
    "not-in-form": (
        N_("Do not rely on this badge"),
        N_("It breaks the standard for badges, so nobody can be sure what it means."),
    ),
    "not-in-order": (
        N_("Do not rely on this badge"),
        N_("Something in it is wrong. The details below say what."),
    ),
    "unreadable": (
        N_("This is not a badge"),
        N_("We found no badge in it. Ask for the link to the badge, or for its file."),
    ),
    "records-lost": (
        N_("This could not be decided"),
        N_(
            "It names this service, but we lost our records of that time when a backup was restored. We cannot say "
            "whether we signed it: ask the network that issued it."
        ),
    ),
    "issuer-not-reached": (
        N_("This could not be decided"),
        N_("We could not get the issuer's keys. That is neither a yes nor a no: try again later."),
    ),
    "issuer-keys-not-in-order": (
        N_("This could not be decided"),
        N_(
            "We found something else where the issuer's keys should be, so we could not check the signature. Ask "
            "the issuer."
        ),
    ),
    "status-not-reached": (
        N_("This could not be decided"),
        N_("It is genuine. We could not find out whether its issuer has taken it back: try again later."),
    ),
    "clock-open": (
        N_("This could not be decided"),
        N_("By our clock, it was signed in the future. Our clock or the issuer's is wrong: try again later."),
    ),
    "not-decided": (
        N_("This could not be decided"),
        N_("Something could not be checked. That is neither a yes nor a no: the details below say what."),
    ),
}
"""Title and sentence of each headline of `tones.TONES`."""

ALIKE: Final = N_("Careful: its issuer's name is almost the same as %(name)s, which is somebody else.")
"""The sentence instead where the issuer's name is easily confused with a listed one's."""

UNCONFIRMED: Final = N_(
    "The signature is good. The issuer is a network of this service, and its operator has not confirmed who that is."
)
"""The sentence instead where the issuer is a network here for which the operator does not vouch."""

COMPARABLE: Final[Mapping[frozenset[str], str]] = {
    frozenset({"email"}): N_("This badge can only be compared with an email address."),
    frozenset({"did"}): N_("This badge can only be compared with an identifier that begins with did:."),
    frozenset({"other"}): N_("This badge cannot be compared with an email address, only with a name or number."),
    frozenset({"email", "did"}): N_(
        "This badge can only be compared with an email address, or an identifier that begins with did:."
    ),
    frozenset({"email", "other"}): N_("This badge can only be compared with an email address, a name or a number."),
    frozenset({"did", "other"}): N_("This badge cannot be compared with an email address."),
    frozenset(): N_("This badge does not name anyone in a way that we can compare."),
    frozenset({"email", "did", "other"}): "",
}
"""What a badge can be compared with, by the kinds of names that it has for its person."""
