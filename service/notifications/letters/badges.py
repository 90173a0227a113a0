"""Mails to people about their badges: that they have one, and what becomes of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from zoneinfo import ZoneInfo

from service.achievements import pictures
from service.awards import appealable
from service.errors import NotFoundError
from service.issuing import reissuing, unsigned
from service.notifications.letters import closings
from service.notifications.letters.addressing import from_network, subject
from service.notifications.letters.recipients import addressees
from service.notifications.letters.wording import gist, named
from service.notifications.letters.writing import PICTURE_SIZE, Button, Facts, Letter, Part, Picture, Said, write
from service.runtime.runtime import Runtime
from service.sharing import claims
from service.storage.database import ReadSession
from service.tables import Achievement, AchievementVersion, Award, Credential, Member, Message, Network
from service.texts.languages import N_, Language

MAX_REASON = 1000
MAX_NAME = 80

SUBJECTS = {
    "awarded": N_("%(network)s has awarded you the badge “%(badge)s”"),
    "replaced": N_("Your badge “%(badge)s” has a new link"),
    "revoked": N_("Your badge “%(badge)s” was taken back"),
    "suspended": N_("Your badge “%(badge)s” is suspended"),
    "reinstated": N_("Your badge “%(badge)s” is valid again"),
    "expiring": N_("Your badge “%(badge)s” ends on %(day)s"),
}
NEWS = {
    "awarded": N_("%(network)s has awarded you the badge “%(badge)s”."),
    "replaced": N_(
        "%(network)s has corrected your badge “%(badge)s”, and it has a new link. Use this one from now on. The page at "
        "the old link says so, and leads here."
    ),
    "revoked": N_(
        "%(network)s has taken back your badge “%(badge)s”. It is no longer valid, and everyone who checks it sees that."
    ),
    "suspended": N_(
        "%(network)s has suspended your badge “%(badge)s” while it looks into something. The badge does not count "
        "until that is decided, and its page says so. You will get an email then."
    ),
    "reinstated": N_(
        "Your badge “%(badge)s” of %(network)s is no longer suspended. It is valid again, and its link is the same as "
        "before."
    ),
    "expiring": N_(
        "Your badge “%(badge)s” of %(network)s is valid until %(day)s. After that, everyone who checks it sees "
        "that it has expired."
    ),
}
"""The first sentences of each mail."""

HELLO = N_("Hello,")
HELLO_NAME = N_("Hello %(name)s,")
PRACTICE = N_(
    "This is a practice badge: %(network)s is trying things out. Its picture says TEST, and it proves nothing."
)
FOLLOWS = N_("You had a badge of the same name before. Use this one from now on.")
SHARE = N_(
    "To share it, send the link, or download its picture and add that to your CV, profile or badge wallet. "
    "Everyone who has the link can check the badge. Your name and email address are not on the page."
)
SHARE_AGAIN = N_(
    "If you have sent the old link to somebody, or uploaded the badge, please do that again with this one."
)
NOT_YOURS = N_("Is this badge not yours? Please tell %(network)s.")
EVIDENCE_GONE = N_("Some of the evidence for it was taken back.")
DISAGREE = N_("Do you disagree? Tell %(network)s why by %(day)s. A mediator then decides.")
SIGNED_AGAIN = N_("It was signed again with another key. If you have downloaded it, please download it again.")
RENEW = N_("To renew it, ask %(network)s what you need to do.")
RETIRED = N_("%(network)s no longer awards this badge, so you cannot renew it.")
SEE = N_("See your badge")
KEEP = N_("Claim it to put your name on it, hide it or share it. This link is only for you: do not forward it.")
CLAIM = N_("Claim your badge")
MINE = N_("It is in your account: you can put your name on it, hide it or share it.")
MY_BADGES = N_("My badges")


@dataclass(frozen=True)
class _Told:
    """A badge as its mails tell of it."""

    session: ReadSession
    runtime: Runtime
    network: Network
    credential: Credential
    award: Award
    version: AchievementVersion
    language: Language

    def say(self, text: str, **values: str) -> Said:
        """Return a sentence in the recipient's language, with the names that it needs."""
        known = {"network": named(self.network.name), "badge": named(self.version.name), "day": self.ends_on}
        return Said(self.language.gettext(text, **known | values))

    @property
    def ends_on(self) -> str:
        """The day on which the badge ends, or ""."""
        return self.language.day(self.credential.valid_until)


def render(session: ReadSession, runtime: Runtime, message: Message) -> EmailMessage | None:
    """Return the mail that tells somebody about a badge.

    None if there is no address, or it is no longer true, or the person does not want mails of the kind.
    """
    credential = session.get_one(Credential, message.credential_id)
    award = session.get_one(Award, credential.award_id)
    recipient = addressees(session, [award.member_id]).get(award.member_id)
    if recipient is None or not recipient.wants(message.kind):
        return None
    if not _is_true(message.kind, credential, award, runtime.now()):
        return None
    network = session.get_one(Network, message.network_id)
    version = session.get_one(AchievementVersion, award.achievement_version_id)
    language = recipient.language_in(network)
    told = _Told(session, runtime, network, credential, award, version, language)
    mail = from_network(runtime, message, network, recipient.address, _happened_at(told, message.kind), language)
    mail["Subject"] = subject(
        network, language, SUBJECTS[message.kind], network=network.name, badge=version.name, day=told.ends_on
    )
    letter = Letter(
        language,
        sender=named(network.name),
        title=named(version.name),
        parts=list(_parts(told, message.kind)),
        closing=list(_closing(told, message.kind)),
        picture=_picture(told),
    )
    return write(mail, letter)


def _is_true(kind: str, credential: Credential, award: Award, now: datetime) -> bool:
    """Return whether what a mail tells still holds."""
    if kind == "revoked":
        return credential.revoked_at is not None
    if kind == "suspended":
        return credential.revoked_at is None and credential.suspended_at is not None
    stands = credential.revoked_at is None and credential.suspended_at is None
    over = credential.valid_until is not None and credential.valid_until <= now
    if kind == "expiring":
        return stands and not over and credential.superseded_by is None and award.state == "awarded"
    return stands and not (over and kind == "reinstated")


def _happened_at(told: _Told, kind: str) -> datetime:
    row = told.credential
    at = {"awarded": told.award.decided_at, "replaced": row.issued_at, "revoked": row.revoked_at}
    return (at | {"suspended": row.suspended_at, "reinstated": row.reinstated_at}).get(kind) or told.runtime.now()


def _parts(told: _Told, kind: str) -> Iterator[Part]:
    yield _hello(told)
    yield told.say(NEWS[kind])
    if told.network.sandbox:
        yield told.say(PRACTICE)
    if kind == "awarded" and told.award.renews is not None:
        yield told.say(FOLLOWS)
    if kind == "replaced":
        yield told.say(SHARE_AGAIN)
    if facts := _facts(told, kind):
        yield Facts(facts)
    if kind in ("revoked", "suspended"):
        yield from _appeal(told)
    if kind == "reinstated" and reissuing.reissued_at(told.session, told.credential) is not None:
        yield told.say(SIGNED_AGAIN)
    if kind == "expiring":
        retired = told.session.get_one(Achievement, told.award.achievement_id).retired_at is not None
        yield told.say(RETIRED if retired else RENEW)
    url = unsigned.credential_url(told.runtime.settings, told.credential.id)
    yield Button(told.say(SEE).text, url)
    if kind in ("awarded", "replaced"):
        yield told.say(SHARE)
    if kind == "awarded":
        yield from _claim(told)


def _claim(told: _Told) -> Iterator[Part]:
    """Yield how to take the badge into an account, or where it is if that was done."""
    member = told.session.get_one(Member, told.award.member_id)
    base_url = told.runtime.settings.base_url
    if claims.is_claimed(told.session, member):
        yield told.say(MINE)
        yield Button(told.say(MY_BADGES).text, f"{base_url}/my-badges")
    elif (link := claims.mailed(told.session, told.runtime, member, told.runtime.now())) is not None:
        yield told.say(KEEP)
        yield Button(told.say(CLAIM).text, f"{base_url}/claim/{link}")


def _hello(told: _Told) -> Said:
    """Return the greeting, by the name that the network gave."""
    name = named(told.session.get_one(Member, told.award.member_id).name, MAX_NAME)
    return told.say(HELLO_NAME, name=name) if name else told.say(HELLO)


def _facts(told: _Told, kind: str) -> Sequence[tuple[str, str]]:
    language, credential = told.language, told.credential
    if kind in ("awarded", "replaced"):
        definition = told.version.definition
        rows = [
            (N_("What it is for"), gist(definition.get("description"))),
            (N_("How you earned it"), gist(definition.get("criteria", {}).get("narrative"))),
            (N_("Awarded on"), language.day(told.award.awarded_at)),
            (N_("Valid until"), told.ends_on),
        ]
    elif kind == "revoked":
        # If no token took it back, evidence was: the reason that is stored then is ours, and in English.
        own = credential.revocation_reason if credential.revoked_by is not None else language.gettext(EVIDENCE_GONE)
        rows = [(N_("Reason"), gist(own, MAX_REASON))]
    elif kind == "suspended":
        rows = [(N_("Reason"), gist(credential.suspension_reason, MAX_REASON))]
    else:
        rows = []
    return [(language.gettext(name), value) for name, value in rows if value]


def _appeal(told: _Told) -> Iterator[Said]:
    """Yield how to contest what happened, and until when, if that is possible."""
    found = appealable.of_standing(told.session, told.credential, told.runtime.now())
    if found is not None:
        last = (found.until - timedelta(seconds=1)).astimezone(ZoneInfo(told.network.time_zone))
        yield told.say(DISAGREE, day=told.language.day(last.replace(tzinfo=None)))


def _closing(told: _Told, kind: str) -> Iterator[Said]:
    if kind in ("awarded", "replaced"):
        yield told.say(NOT_YOURS)
    yield closings.whom_to_ask(told.network, told.language)


def _picture(told: _Told) -> Picture | None:
    try:
        png = pictures.picture(told.session, told.network, told.version, "png")
        small = pictures.shrunk(png, PICTURE_SIZE)
    except (NotFoundError, ValueError):  # it was erased, or cannot be drawn: the mail says everything without it
        return None
    return Picture(small, told.say(N_("Picture of the badge %(name)s"), name=named(told.version.name)).text)
