"""A small real integration against the client that `openapi-python-client` makes: a term of a circle, from posts to badges.

It runs in an environment of its own, with the generated package `laurel_client` beside it, and ends with a sentence.
"""

import sys
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from laurel_client import AuthenticatedClient, Client
from laurel_client.api.achievements import create_achievement
from laurel_client.api.approvals import create_approval, give_approval, list_approvals
from laurel_client.api.awards import create_award, list_awards
from laurel_client.api.credentials import get_credential_status, list_credentials, revoke_credential
from laurel_client.api.events import list_events
from laurel_client.api.evidence import create_contribution, create_evaluation, list_contributions, void_record
from laurel_client.api.members import list_member_progress, list_members, put_member
from laurel_client.api.networks import confirm_network, create_network, get_network
from laurel_client.api.sessions import list_sessions, put_session
from laurel_client.api.tokens import create_token
from laurel_client.api.verification import verify_badge
from laurel_client.models import (
    About,
    AchievementIn,
    AchievementInAward,
    All,
    ApprovalAsked,
    ApprovalIn,
    Approved,
    AwardIn,
    ConfirmationIn,
    ContributionFilter,
    ContributionIn,
    Count,
    CountDistinct,
    CriteriaIn,
    EndorsementIn,
    MemberPut,
    NetworkIn,
    NetworkInKind,
    Problem,
    ReflectionIn,
    RevocationIn,
    RoleIn,
    Rubric,
    RubricIn,
    RubricInRatings,
    SessionPut,
    SurveyIn,
    SurveyInAnswers,
    TokenIn,
    TokenMade,
    VerificationIn,
    VoidIn,
)
from laurel_client.models import TokenInScopesType0Item as Scope
from laurel_client.types import UNSET, Unset

Got = TypeVar("Got")
SLUG = "term-circle"
BEGIN = datetime(2026, 9, 7, 16, tzinfo=UTC)
MEMBERS, SESSIONS, SHARED = 30, 5, 5
PEOPLE = [f"teacher-{n}" for n in range(1, MEMBERS + 1)]


def got(answer: Got | Problem | None) -> Got:
    """Return what was answered, if it is no refusal."""
    assert answer is not None, "expected an answer that the client knows"
    assert not isinstance(answer, Problem), answer
    return answer


def set_up(admin: AuthenticatedClient) -> str:
    """Create the network, and return the text of a token for it."""
    body = NetworkIn(SLUG, "Term Circle", NetworkInKind.INFORMAL, "https://term.example/", "Europe/Berlin")
    made = got(create_network.sync(client=admin, body=body))
    assert made.did.endswith(f":networks:{SLUG}")
    got(confirm_network.sync(SLUG, client=admin, body=ConfirmationIn(made.name)))
    scopes = [Scope(each) for each in ("read", "members:write", "evidence:write", "achievements:write", "awards:write")]
    return text_of(create_token.sync(SLUG, client=admin, body=TokenIn("Forum", scopes)))


def text_of(made: TokenMade | Problem | None) -> str:
    """Return the text of a new token, which only the first answer has."""
    text = got(made).token
    assert isinstance(text, str)
    return text


def define(client: AuthenticatedClient) -> None:
    """Publish three rules: one counts, one asks for judges, one asks for a person."""
    attends = Count("count", 4, where=ContributionFilter(types=["attended"]), distinct=CountDistinct.SESSION)
    shares = Count("count", SHARED, where=ContributionFilter(types=["shared"]), distinct=CountDistinct.RESOURCE)
    judged = Rubric("rubric", "feedback", ["clear", "kind"], 3, raters=2, unposted=True)
    rules: dict[str, tuple[All | Rubric, AchievementInAward]] = {
        "regular": (All([attends, shares]), AchievementInAward.AUTOMATIC),
        "clear-feedback": (judged, AchievementInAward.REVIEWED),
        "host": (All([attends, Approved("approval", "facilitator")]), AchievementInAward.REVIEWED),
    }
    for ref, (rule, award) in rules.items():
        criteria = CriteriaIn(f"What `{ref}` asks for.", rule)
        body = AchievementIn(ref.title(), f"Earned {ref}.", "Badge", criteria, award, ref, publish=True)
        made = got(create_achievement.sync(SLUG, client=client, body=body))
        assert (made.version, made.published_version) == (1, 1)


def post_term(client: AuthenticatedClient) -> None:
    """Post members, sessions, and what everybody did in five weeks."""
    facilitator = MemberPut("Facilitator", "facilitator@term.example", roles=[RoleIn("facilitator", BEGIN)])
    got(put_member.sync(SLUG, "facilitator", client=client, body=facilitator))
    for ref in PEOPLE:
        body = MemberPut(ref.title(), f"{ref}@term.example", organization="North School")
        assert got(put_member.sync(SLUG, ref, client=client, body=body)).ref == ref
    for week in range(SESSIONS):
        at = BEGIN + timedelta(weeks=week) if week < 2 else BEGIN + timedelta(days=week)
        got(
            put_session.sync(
                SLUG, f"s{week}", client=client, body=SessionPut(at, "term", ends_at=at + timedelta(hours=1))
            )
        )
        for ref in PEOPLE:
            key = f"attended-{week}-{ref}"
            came = ContributionIn(at, ref, "attended", ref=key, session=f"s{week}", minutes=60)
            sent = got(create_contribution.sync(SLUG, client=client, body=came, idempotency_key=key))
            assert (sent.status, sent.awards) == ("accepted", [])
            shared = ContributionIn(
                at, ref, "shared", ref=f"shared-{week}-{ref}", resource=f"https://term.example/{key}"
            )
            sent = got(create_contribution.sync(SLUG, client=client, body=shared))
            assert [made.achievement for made in sent.awards] == (["regular"] if week == SESSIONS - 1 else [])


def judge(client: AuthenticatedClient, ref: str) -> None:
    """Post evaluations of four kinds about a member's work."""
    at, work = BEGIN + timedelta(days=9), About(contribution=f"shared-0-{ref}")
    ratings = RubricInRatings()
    ratings.additional_properties = {"clear": 3, "kind": 4}
    for judge in ("facilitator", "teacher-30"):
        body = RubricIn(at, work, "rubric", "feedback", ratings, evaluator=judge)
        assert got(create_evaluation.sync(SLUG, client=client, body=body)).status == "accepted"
    endorsed = EndorsementIn(at, About(member=ref), "endorsement", evaluator="facilitator", skill="feedback")
    got(create_evaluation.sync(SLUG, client=client, body=endorsed))
    said = ReflectionIn(at, About(member=ref), "reflection", "I ask before I suggest.", evaluator=ref)
    got(create_evaluation.sync(SLUG, client=client, body=said))
    answers = SurveyInAnswers()
    answers.additional_properties = {"useful": 5}
    asked = SurveyIn(at, About(session="s1"), "survey", "after-session", answers, anonymous=True)
    got(create_evaluation.sync(SLUG, client=client, body=asked))


def approve(admin: AuthenticatedClient, client: AuthenticatedClient, base_url: str) -> None:
    """Have the facilitator approve an award that waits."""
    waits = got(create_approval.sync(SLUG, client=client, body=ApprovalAsked("host", "teacher-2")))
    body = TokenIn("Facilitator", [Scope("read"), Scope("awards:approve")], member="facilitator")
    token = text_of(create_token.sync(SLUG, client=admin, body=body))
    facilitator = AuthenticatedClient(base_url=base_url, token=token)
    assert [each.id for each in got(list_approvals.sync(SLUG, client=facilitator)).items] == [waits.id]
    decided = got(give_approval.sync(SLUG, waits.id, client=facilitator, body=ApprovalIn("Well done.")))
    assert decided.state == "approved"


def look(client: AuthenticatedClient, anybody: Client) -> None:
    """Read lists page by page, verify a badge as a stranger, and revoke it."""
    network = got(get_network.sync(SLUG, client=client))
    assert (network.slug, network.state) == (SLUG, "active")
    seen: list[str] = []
    after: str | Unset = UNSET
    while True:
        page = got(list_members.sync(SLUG, client=client, limit=10, after=after))
        seen += [member.ref for member in page.items]
        if isinstance(page.next_, Unset):
            break
        after = page.next_
    assert sorted(seen) == sorted([*PEOPLE, "facilitator"])
    assert len(got(list_sessions.sync(SLUG, client=client)).items) == SESSIONS
    assert len(got(list_contributions.sync(SLUG, client=client, limit=200)).items) == 200
    standing = {
        each.achievement: each for each in got(list_member_progress.sync(SLUG, "teacher-3", client=client)).items
    }
    assert (standing["regular"].met, standing["host"].met) == (True, False)
    awards = got(list_awards.sync(SLUG, client=client, member="teacher-2")).items
    assert sorted(award.achievement for award in awards) == ["host", "regular"]
    badge = got(list_credentials.sync(SLUG, client=client, member="teacher-1")).items[0]
    report = got(
        verify_badge.sync(client=anybody, body=VerificationIn(url=badge.url, recipient="teacher-1@term.example"))
    )
    assert (report.verdict, report.headline) == ("verified", "genuine")
    assert {question.answer for question in report.questions} == {"yes"}
    ended = got(revoke_credential.sync(badge.id, client=client, body=RevocationIn("It was issued by mistake.")))
    assert ended.state == "revoked"
    assert got(get_credential_status.sync(badge.id, client=client)).state == "revoked"
    assert got(verify_badge.sync(client=anybody, body=VerificationIn(url=badge.url))).verdict == "rejected"
    assert got(list_events.sync(SLUG, client=client, limit=5)).items[0].type_


def main(base_url: str, admin_token: str) -> None:
    """Play the term."""
    admin = AuthenticatedClient(base_url=base_url, token=admin_token)
    client = AuthenticatedClient(base_url=base_url, token=set_up(admin))
    define(client)
    post_term(client)
    judge(client, "teacher-1")
    award = got(create_award.sync(SLUG, client=client, body=AwardIn("clear-feedback", "teacher-1")))
    again = got(create_award.sync(SLUG, client=client, body=AwardIn("clear-feedback", "teacher-1")))
    assert award.id == again.id
    approve(admin, client, base_url)
    mistaken = ContributionIn(BEGIN, "teacher-4", "mentored", peer="teacher-5")
    posted = got(create_contribution.sync(SLUG, client=client, body=mistaken))
    got(void_record.sync(SLUG, str(posted.id), client=client, body=VoidIn("Posted twice.")))
    look(client, Client(base_url=base_url))
    sys.stdout.write("The integration with the generated Python client is complete.\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
