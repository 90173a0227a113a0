"""Title and sentence of each headline of a check."""

from collections.abc import Mapping
from typing import Final

from service.texts.languages import N_

HEADLINES: Final[Mapping[str, tuple[str, str]]] = {
    "genuine": (N_("This badge is genuine and valid"), ""),
    "genuine-unlisted": (
        N_("Genuine, but by an issuer that no list here knows"),
        N_("The signature holds. Nobody here vouches for who stands behind it: find that out before you rely on it."),
    ),
    "genuine-newer-copy": (
        N_("This badge is genuine, and there is a newer copy"),
        N_("It was signed here and has not been taken back. What counts now is the newer copy: look at that one."),
    ),
    "genuine-keys-open": (
        N_("Genuine, if the keys in this bundle are the issuer's"),
        N_("Whoever made the bundle put the keys there. Compare them with a key that you have from the issuer itself."),
    ),
    "genuine-recipient-open": (
        N_("Genuine and valid, but it does not say whose it is"),
        N_("It names nobody in a way that could be compared with what you gave."),
    ),
    "test": (N_("A test: this badge is worth nothing"), N_("A network made it to try things out.")),
    "evidence-changed": (
        N_("Genuine, but what it rests on has changed"),
        N_("The badge is as it was signed. Its evidence is not any more what it was then."),
    ),
    "policy-not-followed": (
        N_("Genuine, but not decided by the published rule"),
        N_("The issuer signed it, and its own record of the decision does not show that its rule was followed."),
    ),
    "not-a-badge": (
        N_("Genuine, but not a badge"),
        N_("It is a signed statement of another kind, and its signature holds."),
    ),
    "older-hosted": (
        N_("Its issuer confirms this badge today, without a signature"),
        N_(
            "It is a badge of the older standard (Open Badges 2.0). We asked its issuer's address, and it says so today. "
            "Nobody can show that it was not changed since it was issued."
        ),
    ),
    "older-signed": (
        N_("Signed by its issuer, under the older standard"),
        N_(
            "The signature holds (Open Badges 2.0). It covers who the badge is for and when. What the badge stands for "
            "is what its issuer's address says today."
        ),
    ),
    "older-differs": (
        N_("This copy is not what its issuer says today"),
        N_(
            "In the older standard only the issuer's address counts, and it says something else than this copy. What you "
            "see here is from that address."
        ),
    ),
    "older-description": (
        N_("This is nobody's badge"),
        N_("It describes a badge or an issuer. Ask for the link or the file of the badge that the person received."),
    ),
    "older-not-reached": (
        N_("This could not be decided"),
        N_(
            "It is a badge of the older standard, which only its issuer's address can confirm. That address did not "
            "answer with it. Try again later, or ask the issuer."
        ),
    ),
    "older-kind": (
        N_("A badge of the older standard, without what confirms it"),
        N_(
            "It needs a signature, or an address where its issuer keeps it. This copy has neither. Ask for the link, or "
            "for the file as it was downloaded."
        ),
    ),
    "older-revoked": (
        N_("This badge was revoked"),
        N_("It is a badge of the older standard, and its issuer says that it was taken back. Do not rely on it."),
    ),
    "older-elsewhere": (
        N_("Do not rely on this badge"),
        N_("It lies at an address that the issuer it names does not use for badges. Anybody could have put it there."),
    ),
    "revoked": (
        N_("This badge was revoked"),
        N_("It is genuine, and its issuer took it back. It must not be relied on."),
    ),
    "suspended": (
        N_("This badge is suspended"),
        N_("It is genuine, and its issuer is looking into it. Until that is decided it must not be relied on."),
    ),
    "expired": (
        N_("This badge has expired"),
        N_("It is genuine, and its time is over. The person may have renewed it."),
    ),
    "not-yet-valid": (
        N_("This badge is not valid yet"),
        N_("It is genuine, and by the clock of this service its dates begin later."),
    ),
    "not-theirs": (
        N_("This badge is not theirs"),
        N_("It is genuine, and was not issued to the person or address that you gave."),
    ),
    "forged": (
        N_("This badge is forged"),
        N_(
            "It names this service, which knows every badge that it has signed, and never signed this one. "
            "Its signature fits: somebody used a stolen key, or put our address on a badge of their own."
        ),
    ),
    "changed": (
        N_("Do not rely on this badge"),
        N_("It was changed after it was signed, or was never signed like this."),
    ),
    "unsigned": (
        N_("Do not rely on this badge"),
        N_("It carries no signature. Anybody could have written it."),
    ),
    "other-key": (
        N_("Do not rely on this badge"),
        N_("The issuer that it names did not sign it."),
    ),
    "key-not-published": (
        N_("Do not rely on this badge"),
        N_("The key that it names is not, or not any more, among those that are published where it says."),
    ),
    "key-ended": (
        N_("Do not rely on this badge"),
        N_("It was signed with a key that its issuer does not stand for any more. Ask the issuer for a new copy."),
    ),
    "not-in-form": (
        N_("Do not rely on this badge"),
        N_("It breaks the standard for badges, so that nobody can say for sure what it means."),
    ),
    "not-in-order": (
        N_("Do not rely on this badge"),
        N_("Something that belongs to it is not in order. The details below say what."),
    ),
    "unreadable": (
        N_("This is not a badge"),
        N_("Nothing in it can be read as a badge. Ask for the link to the badge, or for its file."),
    ),
    "records-lost": (
        N_("This could not be decided"),
        N_(
            "It names this service and a time whose records were lost when a backup had to be restored. Nobody here can "
            "say whether it was signed here: ask the network that issued it."
        ),
    ),
    "issuer-not-reached": (
        N_("This could not be decided"),
        N_("The issuer's keys could not be had. That is neither a yes nor a no: try again later."),
    ),
    "issuer-keys-not-in-order": (
        N_("This could not be decided"),
        N_(
            "Where the issuer's keys should be published is something else, so that the signature could not be checked. "
            "Ask the issuer."
        ),
    ),
    "status-not-reached": (
        N_("This could not be decided"),
        N_("It is genuine. Whether its issuer has taken it back could not be found out now: try again later."),
    ),
    "clock-open": (
        N_("This could not be decided"),
        N_(
            "By the clock of this service it was signed in the future. Either that clock is behind, or the issuer's is "
            "ahead: try again later."
        ),
    ),
    "not-decided": (
        N_("This could not be decided"),
        N_("Something could not be checked, and that is neither a yes nor a no. The details below say what."),
    ),
}
"""Title and sentence of each headline of `check.TONES`."""

ALIKE: Final = N_("Careful: its issuer calls itself almost like %(name)s, which is somebody else.")
"""The sentence instead where the issuer's name is easily confused with a listed one's."""
