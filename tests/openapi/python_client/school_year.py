"""A large integration against the client that `openapi-python-client` makes: a network's year, from its members to its badges.

It runs in an environment of its own, with the generated package `laurel_client` beside it, against a service on this
machine, and ends with a sentence. Arguments: the base URL, a token with the scope `admin`, and if need be how many
members, sessions, contributions and evaluations to post.
"""

import base64
import hashlib
import hmac
import json
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any, Protocol, TypeVar

from laurel_client import AuthenticatedClient, Client
from laurel_client.api.achievements import create_achievement, list_achievement_progress
from laurel_client.api.approvals import approve_several, list_approvals
from laurel_client.api.awards import list_awards
from laurel_client.api.credentials import get_credential_status, list_credentials, revoke_credential
from laurel_client.api.events import list_events
from laurel_client.api.evidence import (
    add_contributions,
    add_evaluations,
    correct_record,
    get_contribution,
    get_import,
    list_contributions,
    list_evaluations,
)
from laurel_client.api.members import add_members, get_member, list_member_progress, list_members, update_member
from laurel_client.api.networks import create_network, declare_history
from laurel_client.api.sessions import add_sessions
from laurel_client.api.tokens import create_token
from laurel_client.api.verification import verify_badge
from laurel_client.api.webhooks import create_webhook
from laurel_client.models import (
    About,
    AchievementIn,
    AchievementInAward,
    AffectedAwardOut,
    All,
    Approved,
    Attendance,
    ContributionIn,
    CorrectionIn,
    CorrectionInChanges,
    CriteriaIn,
    Endorsed,
    EndorsementIn,
    EventType,
    HistoryIn,
    Holds,
    ImportOutState,
    LineOut,
    LineOutStatus,
    ListAchievementProgressSort,
    ListApprovalsState,
    ListContributionsSort,
    ListEvaluationsKind,
    ManyIn,
    MemberIn,
    MemberPut,
    NetworkIn,
    NetworkInKind,
    Points,
    Problem,
    ReflectionIn,
    RevocationIn,
    RoleIn,
    Rubric,
    RubricIn,
    RubricInRatings,
    Score,
    ScoreIn,
    SessionIn,
    SurveyIn,
    SurveyInAnswers,
    TokenIn,
    VerificationIn,
    WebhookIn,
)
from laurel_client.models import TokenInScopesType0Item as Scope
from laurel_client.types import UNSET, File, Response, Unset

MEMBERS, SESSIONS, CONTRIBUTIONS, EVALUATIONS = 300, 40, 5000, 800
SLUG = "school-year"
NEEDED = 12
"""So many sessions everybody attends, and so many earn *regular*."""
BEGIN = (datetime.now(UTC) - timedelta(days=300)).replace(hour=16, minute=0, second=0, microsecond=0)
PATIENCE_SECONDS = 300
SCOPES = ("read", "members:write", "evidence:write", "achievements:write", "awards:write", "webhooks:write")

Got = TypeVar("Got")


class Line(Protocol):
    """A model of the client that is sent as a line."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON."""


class Bulk(Protocol):
    """An operation of the client that takes lines."""

    def __call__(
        self, slug: str, *, client: AuthenticatedClient, body: File, idempotency_key: str | Unset = UNSET
    ) -> Response[File | Problem]:
        """Send lines."""


class Page(Protocol[Got]):
    """A page of a list."""

    items: list[Got]
    next_: str | Unset


@dataclass(frozen=True)
class Year:
    """How much of everything there is."""

    members: int = MEMBERS
    sessions: int = SESSIONS
    contributions: int = CONTRIBUTIONS
    evaluations: int = EVALUATIONS

    @property
    def refs(self) -> list[str]:
        """The members."""
        return [f"m{number}" for number in range(self.members)]

    def begin_of(self, session: int) -> datetime:
        """Return when a session begins."""
        return BEGIN + timedelta(weeks=session)


def got(answer: Got | Problem | None) -> Got:
    """Return what was answered, if it is no refusal."""
    assert answer is not None, "expected an answer that the client knows"
    assert not isinstance(answer, Problem), answer
    return answer


def every(ask: Callable[[str | Unset], Page[Got] | Problem | None]) -> Iterator[Got]:
    """Yield every item of a list, page by page."""
    after: str | Unset = UNSET
    while True:
        page = got(ask(after))
        yield from page.items
        if isinstance(page.next_, Unset):
            return
        after = page.next_


def send(client: AuthenticatedClient, add: Bulk, lines: Iterable[Line], key: str) -> list[LineOut]:
    """Send lines in one body, and wait until all that they led to is decided; return an answer for each."""
    body = "".join(json.dumps(line.to_dict()) + "\n" for line in lines).encode()
    answer = add(SLUG, client=client, body=File(BytesIO(body)), idempotency_key=key)
    *each, last = [LineOut.from_dict(json.loads(line)) for line in got(answer.parsed).payload]
    assert last.status == LineOutStatus.COMPLETE, last
    again = add(SLUG, client=client, body=File(BytesIO(body)), idempotency_key=key)
    assert again.content == answer.content, "the same body with the same key is carried out once"
    import_id = last.import_
    assert not isinstance(import_id, Unset)
    until = time.monotonic() + PATIENCE_SECONDS
    while got(get_import.sync(SLUG, import_id, client=client)).state != ImportOutState.SETTLED:
        assert time.monotonic() < until, "expected an import that is settled"
        time.sleep(0.1)
    return each


def set_up(admin: AuthenticatedClient) -> None:
    """Create the network, and say that what it loads first is its history."""
    body = NetworkIn(SLUG, "School Year", NetworkInKind.INFORMAL, "https://year.example/", "Europe/Berlin")
    got(create_network.sync(client=admin, body=body))
    history = HistoryIn(datetime.now(UTC), "These are the attendance sheets of the last year.")
    got(declare_history.sync(SLUG, client=admin, body=history))


def token_for(
    admin: AuthenticatedClient, base_url: str, *scopes: str, member: str | None = None
) -> AuthenticatedClient:
    """Return a client with a new token of the network."""
    body = TokenIn("Integration", [Scope(scope) for scope in scopes], member)
    text = got(create_token.sync(SLUG, client=admin, body=body)).token
    assert not isinstance(text, Unset)
    return AuthenticatedClient(base_url=base_url, token=text)


def define(client: AuthenticatedClient) -> None:
    """Publish three rules: one counts, one asks for judges, and one rests on the others and asks for a person."""
    rules: dict[str, Attendance | All] = {
        "regular": Attendance("attendance", "school-year", min_sessions=NEEDED, min_minutes=45),
        "clear-feedback": All(
            [
                Rubric("rubric", "feedback", ["clear", "kind"], 3, raters=2, unposted=True),
                Endorsed("endorsed", "feedback", 1),
                Score("score", "final-test", 0.6),
            ]
        ),
        "mentor": All([Holds("holds", ["regular", "clear-feedback"]), Approved("approval", "facilitator")]),
    }
    for ref, rule in rules.items():
        criteria = CriteriaIn(f"What `{ref}` asks for.", rule)
        body = AchievementIn(
            ref.title(), f"Earned {ref}.", "Badge", criteria, AchievementInAward.AUTOMATIC, ref, publish=True
        )
        assert got(create_achievement.sync(SLUG, client=client, body=body)).published_version == 1


def people(year: Year) -> Iterator[MemberIn]:
    """Yield the members, and their facilitator."""
    yield MemberIn("facilitator", "Facilitator", "facilitator@year.example", roles=[RoleIn("facilitator", BEGIN)])
    for number, ref in enumerate(year.refs):
        yield MemberIn(ref, f"Member {number}", f"{ref}@year.example", organization=f"School {number % 5}")


def meetings(year: Year) -> Iterator[SessionIn]:
    """Yield the sessions: one a week."""
    for number in range(year.sessions):
        at = year.begin_of(number)
        yield SessionIn(at, f"s{number}", "school-year", f"Week {number}", at + timedelta(hours=1), "online")


def contributions(year: Year) -> Iterator[ContributionIn]:
    """Yield what members did: everybody attended `NEEDED` sessions, and shared; some mentored."""
    count = 0
    for number, member in enumerate(year.refs):
        for attended in range(NEEDED):
            session = (number + attended * 3) % year.sessions
            at, ref = year.begin_of(session), f"attended-{member}-s{session}"
            yield ContributionIn(at, member, "attended", ref=ref, session=f"s{session}", minutes=60)
        for shared in range(4):
            ref, url = f"shared-{member}-{shared}", f"https://year.example/{member}/{shared}"
            yield ContributionIn(
                BEGIN + timedelta(days=shared), member, "shared", ref=ref, resource=url, tags=["term-1"]
            )
        count += NEEDED + 4
    for number in range(year.contributions - count):
        at, peer = BEGIN + timedelta(days=number % 200), f"m{(number + 1) % year.members}"
        member, ref = f"m{number % year.members}", f"mentored-{number}"
        yield ContributionIn(at, member, "mentored", ref=ref, peer=peer, minutes=30)


Evaluation = RubricIn | ScoreIn | SurveyIn | EndorsementIn | ReflectionIn


def evaluations(year: Year) -> Iterator[Evaluation]:
    """Yield judgements of five kinds, in equal parts: about members, their work, and sessions."""
    at, each = BEGIN + timedelta(days=60), year.evaluations // 5
    for number in range(each // 2):
        judged, ratings = f"m{number % year.members}", RubricInRatings()
        ratings.additional_properties = {"clear": 3, "kind": 4}
        for judge in ("facilitator", f"m{(number + 1) % year.members}"):
            work = About(contribution=f"shared-{judged}-0")
            yield RubricIn(at, work, "rubric", "feedback", ratings, ref=f"rubric-{number}-{judge}", evaluator=judge)
    for number in range(each):
        member, friend = f"m{number % year.members}", f"m{(number + 2) % year.members}"
        about, answers = About(member=member), SurveyInAnswers()
        answers.additional_properties = {"useful": 1 + number % 5, "what-next": "More examples."}
        yield ScoreIn(
            at, about, "score", "final-test", Points(raw=7, max_=10), ref=f"score-{number}", evaluator="facilitator"
        )
        yield EndorsementIn(at, about, "endorsement", ref=f"endorsed-{number}", evaluator=friend, skill="feedback")
        yield ReflectionIn(
            at, about, "reflection", "I ask before I suggest.", ref=f"reflection-{number}", evaluator=member
        )
        session = About(session=f"s{number % year.sessions}")
        yield SurveyIn(at, session, "survey", "after", answers, ref=f"survey-{number}", anonymous=True)


def is_from_laurel(headers: dict[str, str], body: bytes, secret: str) -> bool:
    """Return whether a webhook's request is genuine, and at most five minutes old."""
    sent_at = headers["webhook-timestamp"]
    signed = f"{headers['webhook-id']}.{sent_at}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    signatures = headers["webhook-signature"].split(" ")
    return abs(time.time() - int(sent_at)) < 300 and any(hmac.compare_digest(expected, each) for each in signatures)


@dataclass
class Receiver:
    """What receives webhooks: who sends it, what came from there, and what came from elsewhere."""

    url: str
    secret: str
    genuine: "queue.Queue[Any]"
    forged: list[bytes]

    def wait_for(self, type_: EventType, count: int) -> list[Any]:
        """Return the first events of a type, once there are as many."""
        found: list[Any] = []
        while len(found) < count:
            event = self.genuine.get(timeout=PATIENCE_SECONDS)
            if event["type"] == type_:
                found.append(event["data"])
        return found


@contextmanager
def listening() -> Iterator[Receiver]:
    """Listen for webhooks on loopback."""

    class Request(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if is_from_laurel({name.lower(): value for name, value in self.headers.items()}, body, receiver.secret):
                receiver.genuine.put(json.loads(body))
            else:
                receiver.forged.append(body)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_arguments: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Request) as server:
        receiver = Receiver(f"http://localhost:{server.server_port}/laurel", "", queue.Queue(), [])
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()


def load(client: AuthenticatedClient, year: Year) -> None:
    """Load the year: bodies of many lines, each with a key with which it can be sent again."""
    done = {
        "members": send(client, add_members.sync_detailed, people(year), "members"),
        "sessions": send(client, add_sessions.sync_detailed, meetings(year), "sessions"),
        "contributions": send(client, add_contributions.sync_detailed, contributions(year), "contributions"),
        "evaluations": send(client, add_evaluations.sync_detailed, evaluations(year), "evaluations"),
    }
    expected = (year.members + 1, year.sessions, year.contributions, year.evaluations)
    assert tuple(map(len, done.values())) == expected
    for lines in done.values():
        assert {line.status for line in lines} == {LineOutStatus.ACCEPTED}, [
            line.problem for line in lines if line.problem
        ]
        assert {tuple(line.flags or ()) for line in lines} == {()}, "what is declared as history is not late"


def read(client: AuthenticatedClient, year: Year) -> None:
    """Read lists as a program does: with filters, in an order, and page by page."""

    refs = [each.ref for each in every(lambda after: list_members.sync(SLUG, client=client, limit=100, after=after))]
    assert sorted(refs) == sorted([*year.refs, "facilitator"])
    [found] = got(list_members.sync(SLUG, client=client, email="m7@year.example")).items
    assert found.ref == "m7"
    attended = list(
        every(
            lambda after: list_contributions.sync(
                SLUG,
                client=client,
                member="m1",
                type_="attended",
                occurred_from=BEGIN.date(),
                sort=ListContributionsSort.OCCURRED_AT_DESCENDING,
                limit=5,
                after=after,
            )
        )
    )
    weeks = [int(str(each.session)[1:]) for each in attended]
    assert (len(attended), weeks) == (NEEDED, sorted(weeks, reverse=True))
    surveys = every(
        lambda after: list_evaluations.sync(
            SLUG, client=client, kind=ListEvaluationsKind.SURVEY, after=after, limit=200
        )
    )
    assert len(list(surveys)) == year.evaluations // 5
    standing = got(
        list_achievement_progress.sync(
            SLUG,
            "clear-feedback",
            client=client,
            sort=ListAchievementProgressSort.PROGRESS_DESCENDING,
            expand="member",
            limit=10,
        )
    )
    assert standing.items[0].met
    progress = {each.achievement: each for each in got(list_member_progress.sync(SLUG, "m0", client=client)).items}
    assert {ref for ref, each in progress.items() if each.met} >= {"regular", "clear-feedback"}


def approve(facilitator: AuthenticatedClient, client: AuthenticatedClient) -> int:
    """Have the facilitator approve what waits; return how many awards that made."""
    waiting = list(
        every(
            lambda after: list_approvals.sync(
                SLUG, client=facilitator, state=ListApprovalsState.WAITING, after=after, limit=100
            )
        )
    )
    assert {each.achievement for each in waiting} == {"mentor"}
    decided = got(
        approve_several.sync(SLUG, client=facilitator, body=ManyIn([each.id for each in waiting], "Well done."))
    )
    assert {str(each.state) for each in decided.items} == {"approved"}, decided
    awards = every(lambda after: list_awards.sync(SLUG, client=client, achievement="mentor", after=after, limit=200))
    made = list(awards)
    assert [each.decided_by[0].member for each in made] == ["facilitator"] * len(waiting)
    return len(made)


def verdict(anybody: Client, url: str) -> str:
    """Return what a stranger is told about a badge."""
    return str(got(verify_badge.sync(client=anybody, body=VerificationIn(url=url))).verdict)


def correct(client: AuthenticatedClient, anybody: Client) -> None:
    """Correct minutes on which a badge rests: 55 leave it as it is; 30 would lose it, as a dry run tells."""
    [badge] = got(list_credentials.sync(SLUG, client=client, member="m2", achievement="regular")).items
    record = got(get_contribution.sync(SLUG, "attended-m2-s2", client=client))
    outcomes: dict[int, list[AffectedAwardOut]] = {}
    for minutes in (30, 55):
        changes = CorrectionInChanges()
        changes["minutes"] = minutes
        body = CorrectionIn(changes, "The attendance sheet says so.", dry_run=True)
        would = got(correct_record.sync(SLUG, str(record.id), client=client, body=body))
        outcomes[minutes] = [each for each in would.awards if each.achievement == "regular"]
    assert [[str(each.outcome) for each in found] for found in outcomes.values()] == [["under-review"], ["kept"]]
    body.dry_run = False
    done = got(correct_record.sync(SLUG, str(record.id), client=client, body=body))
    assert {str(each.outcome) for each in done.awards} == {"kept"}
    now = got(get_contribution.sync(SLUG, "attended-m2-s2", client=client))
    assert (now.minutes, now.corrects, now.id) == (55, record.id, done.id)
    assert verdict(anybody, badge.url) == "verified"


def revoke(client: AuthenticatedClient, anybody: Client) -> None:
    """Revoke a badge; a stranger learns of it at once."""
    [badge] = got(list_credentials.sync(SLUG, client=client, member="m3", achievement="regular")).items
    assert verdict(anybody, badge.url) == "verified"
    got(revoke_credential.sync(badge.id, client=client, body=RevocationIn("It was issued by mistake.")))
    assert str(got(get_credential_status.sync(badge.id, client=client)).state) == "revoked"
    assert verdict(anybody, badge.url) == "rejected"


def rename(client: AuthenticatedClient) -> None:
    """Change a member, unless somebody else did meanwhile."""
    seen = get_member.sync_detailed(SLUG, "m4", client=client).headers["ETag"]
    changed = got(update_member.sync(SLUG, "m4", client=client, body=MemberPut(name="Member Four"), if_match=seen))
    assert changed.name == "Member Four"
    late = update_member.sync_detailed(SLUG, "m4", client=client, body=MemberPut(name="M. Four"), if_match=seen)
    assert late.status_code == HTTPStatus.PRECONDITION_FAILED
    assert isinstance(late.parsed, Problem)
    assert late.parsed.code == "precondition-failed"


def main(base_url: str, admin_token: str, *counts: str) -> None:
    """Play the year."""
    year, anybody = Year(*map(int, counts)), Client(base_url=base_url)
    admin = AuthenticatedClient(base_url=base_url, token=admin_token)
    set_up(admin)
    client = token_for(admin, base_url, *SCOPES)
    with listening() as receiver:
        webhook = got(create_webhook.sync(SLUG, client=client, body=WebhookIn(receiver.url)))
        assert not isinstance(webhook.secret, Unset)
        receiver.secret = webhook.secret
        define(client)
        load(client, year)
        read(client, year)
        facilitator = token_for(admin, base_url, "read", "awards:approve", member="facilitator")
        mentors = approve(facilitator, client)
        judged = min(year.evaluations // 10, year.members)
        correct(client, anybody)
        revoke(client, anybody)
        rename(client)
        issued = receiver.wait_for(EventType.CREDENTIAL_ISSUED, year.members + judged + mentors)
        [ended] = receiver.wait_for(EventType.CREDENTIAL_REVOKED, 1)
        assert not receiver.forged
    badges = list(every(lambda after: list_credentials.sync(SLUG, client=client, limit=200, after=after)))
    assert {each["credential"]["id"] for each in issued} == {str(each.id) for each in badges}
    assert {str(each.id) for each in badges if str(each.state) == "revoked"} == {ended["credential"]["id"]}
    told = [each.type_ for each in every(lambda after: list_events.sync(SLUG, client=client, limit=200, after=after))]
    assert told.count(EventType.CREDENTIAL_ISSUED) == len(badges)
    assert EventType.RECORD_CORRECTED in told
    sys.stdout.write(f"The year is complete: {len(badges)} badges.\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
