"""My badges: what somebody who is signed in sees over all networks, and what nobody else can reach."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event, select, update

from service.access.callers import in_person
from service.runtime.runtime import Runtime
from service.sharing import my_badges
from service.storage.paging import Window
from service.tables import Case, CaseStep, Credential, Member
from service.tables.identifiers import new_id
from tests.worlds.awarding import SHARE_TWICE, Stage
from tests.worlds.my_badges import MINE, claimed, earned, many, member_of, named
from tests.worlds.runtimes import BASE_URL, Clock, app_of
from tests.worlds.signing_in import send, signed_in

APPROVED = {"all": [SHARE_TWICE, {"rule": "approval", "by_role": "director"}]}
OTHER = "m12@river.example.org"


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    return Stage.set_up(client, runtime)


@pytest.fixture
def browser(runtime: Runtime, stage: Stage) -> Iterator[TestClient]:
    """The browser of somebody who is signed in; the stage is laid before, in an empty service."""
    assert stage.runtime is runtime
    with _browser(runtime, MINE) as found:
        yield found


def _browser(runtime: Runtime, address: str) -> TestClient:
    headers = {"Accept": "text/html", "Cookie": signed_in(runtime, address)}
    return TestClient(app_of(runtime), base_url=BASE_URL, follow_redirects=False, headers=headers)


def shown(browser: TestClient, path: str, status: int = 200) -> str:
    answer = browser.get(path)
    assert answer.status_code == status, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    return re.sub(r"\s+", " ", answer.text)


def done(answer: Any, to: str | None = None) -> str:
    assert answer.status_code == 303, answer.text
    location = str(answer.headers["location"])
    assert to is None or location == to
    return location


# --- The badges ----------------------------------------------------------------------------------------------------


def test_somebody_without_anything_is_told_which_addresses_were_looked_for(browser: TestClient) -> None:
    page = shown(browser, "/my-badges")
    assert "You have no badges here yet" in page
    assert f"<li>{MINE}</li>" in page
    assert "Were your badges sent to another address? Add it." in page


def test_who_is_not_signed_in_is_led_to_the_sign_in_and_back(client: TestClient) -> None:
    for path in ("/my-badges", "/my-badges/ended", f"/my-badges/{'0' * 32}"):
        answer = client.get(path, headers={"Accept": "text/html"}, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/sign-in?onward={path}")


def test_badges_of_all_networks_stand_together(browser: TestClient, stage: Stage) -> None:
    hill = Stage.set_up(stage.client, stage.runtime, "hill", name="Hill Readers")
    for each, name in ((stage, "Sharer"), (hill, "Giver")):
        claimed(each)
        each.achievement(name=name)
        earned(each)
    page = shown(browser, "/my-badges")
    assert page.index("Giver")
    assert page.index("Sharer")
    assert "Hill Readers" in page
    assert "River Writers" in page
    assert "with no end date" in page


def test_the_newest_badge_stands_first(browser: TestClient, stage: Stage, clock: Clock) -> None:
    claimed(stage)
    stage.achievement(name="The old one")
    earned(stage)
    clock.advance(days=1)
    stage.achievement("newer", name="The new one")
    stage.award("newer")
    page = shown(browser, "/my-badges")
    assert page.index("The new one") < page.index("The old one")


def test_revoked_suspended_and_expired_badges_stand_apart_with_their_state(browser: TestClient, stage: Stage) -> None:
    claimed(stage)
    credential = earned(stage)
    stage.send("POST", f"/v1/credentials/{credential}/suspension", {"reason": "We look into it."})
    page = shown(browser, "/my-badges")
    assert page.index("No badge of yours is in force") < page.index("No longer in force") < page.index("Suspended")
    stage.send("POST", f"/v1/credentials/{credential}/revocation", {"reason": "A copy."})
    assert "<strong>Revoked</strong>" in shown(browser, "/my-badges/ended")


def test_three_hundred_badges_come_in_pages(browser: TestClient, stage: Stage) -> None:
    claimed(stage)
    many(stage.runtime, earned(stage), 299)
    path, seen = "/my-badges", set[str]()
    for _ in range(20):
        page = shown(browser, path)
        found = re.findall(r'<h3><a href="/my-badges/([0-9a-f]{32})"', page)
        assert len(found) <= my_badges.BADGES_ON_A_PAGE
        assert not seen & set(found)
        seen |= set(found)
        following = re.search(r'href="(/my-badges\?after=[^"]+)"', page)
        if following is None:
            break
        path = following[1]
    assert len(seen) == 300


def test_a_page_costs_the_same_statements_for_one_badge_and_for_three_hundred(
    browser: TestClient, stage: Stage
) -> None:
    claimed(stage)
    credential = earned(stage)
    statements: list[str] = []
    event.listen(stage.runtime.database.engine, "before_cursor_execute", lambda *said: statements.append(said[2]))
    shown(browser, "/my-badges")
    once = len(statements)
    many(stage.runtime, credential, 299)
    statements.clear()
    shown(browser, "/my-badges")
    assert len(statements) == once < 30


def test_a_cursor_of_another_list_is_refused(browser: TestClient, stage: Stage) -> None:
    cursor = Window(None, 1, "elsewhere").cursor(stage.runtime.now(), "0" * 32)
    assert browser.get("/my-badges", params={"after": cursor}).status_code == 422


# --- Claims --------------------------------------------------------------------------------------------------------


def test_what_was_issued_to_a_proved_address_is_claimed_with_one_press(browser: TestClient, stage: Stage) -> None:
    stage.member("m11", email=MINE, name="Member 11")
    credential = earned(stage)
    page = shown(browser, "/my-badges")
    assert "Issued to your address" in page
    assert "River Writers</strong>: 1 badge" in page
    assert credential not in page
    done(send(browser, "/my-badges", f"/my-badges/claims/{member_of(stage.runtime, 'm11')}"), "/my-badges")
    page = shown(browser, "/my-badges")
    assert "Issued to your address" not in page
    assert f'href="/my-badges/{credential}"' in page


def test_what_was_issued_to_another_address_cannot_be_claimed(browser: TestClient, stage: Stage) -> None:
    stage.member("m12", email=OTHER)
    earned(stage, "m12")
    claimed(stage)
    assert "Issued to your address" not in shown(browser, "/my-badges")
    mine = f"/my-badges/members/{member_of(stage.runtime, 'm11')}/appeal"
    assert send(browser, mine, f"/my-badges/claims/{member_of(stage.runtime, 'm12')}").status_code == 404


def test_what_somebody_else_earned_is_given_back(browser: TestClient, stage: Stage) -> None:
    claimed(stage)
    credential = earned(stage)
    where = f"/my-badges/members/{member_of(stage.runtime, 'm11')}/giving-back"
    done(send(browser, "/my-badges", where), "/my-badges")
    assert browser.get(f"/my-badges/{credential}").status_code == 404


# --- Progress ------------------------------------------------------------------------------------------------------


def test_progress_says_what_is_met_and_what_is_missing(browser: TestClient, stage: Stage) -> None:
    claimed(stage)
    both = {"all": [SHARE_TWICE, {"rule": "count", "where": {"types": ["attended"]}, "gte": 1}]}
    stage.achievement(rule=both)
    stage.achievement("other", name="Another one", rule={"rule": "count", "where": {"types": ["authored"]}, "gte": 1})
    stage.share(1)
    stage.share(2)
    page = shown(browser, f"/my-badges/members/{member_of(stage.runtime, 'm11')}/progress")
    assert "All of these:" in page
    assert "Met: </span>2 resources shared (2 needed)." in page
    assert "<strong>Still missing:</strong> Attended 0 meetings (1 needed)." in page
    assert "50% of the way" in page
    assert "1 badge that you can begin" in page
    assert "Another one" in page


def test_what_somebody_holds_is_not_in_progress(browser: TestClient, stage: Stage) -> None:
    claimed(stage)
    earned(stage)
    page = shown(browser, f"/my-badges/members/{member_of(stage.runtime, 'm11')}/progress")
    assert "You have not begun any badge of this network." in page


def test_progress_in_a_retired_badge_says_that_nobody_new_earns_it(browser: TestClient, stage: Stage) -> None:
    claimed(stage)
    stage.achievement()
    stage.share(1)
    stage.send("POST", "./achievements/sharer/retirement", {"reason": "It is over."})
    page = shown(browser, f"/my-badges/members/{member_of(stage.runtime, 'm11')}/progress")
    assert "nobody new earns it" in page
    assert "Appeal" not in page


def test_what_waits_for_people_says_since_when(browser: TestClient, stage: Stage) -> None:
    claimed(stage)
    stage.achievement(rule=APPROVED)
    stage.share(1)
    stage.share(2)
    page = shown(browser, f"/my-badges/members/{member_of(stage.runtime, 'm11')}/progress")
    assert "People have been asked to approve it, on 2 March 2026." in page


# --- Records -------------------------------------------------------------------------------------------------------


def test_feedback_names_the_levels_and_the_words(browser: TestClient, stage: Stage) -> None:
    claimed(stage)
    stage.member("m12", name="Member 12")
    stage.rate("m12", {"specific": 3}, comment="Every remark names a place.")
    page = shown(browser, f"/my-badges/members/{member_of(stage.runtime, 'm11')}/records")
    assert "Your work was assessed: “feedback”" in page
    assert "<dt>specific</dt><dd>3</dd>" in page
    assert "by Member 12" in page
    assert "Every remark names a place." in page


def test_feedback_has_nothing_of_anonymous_answers_and_of_what_concerns_others(
    browser: TestClient, stage: Stage
) -> None:
    claimed(stage)
    stage.member("m12")
    stage.member("m13")
    stage.rate("m12", {"specific": 1}, member="m13", comment="Of somebody else.")
    about = {"kind": "survey", "about": {"network": "river"}, "anonymous": True, "instrument": "pulse"}
    said = {"answers": {"worth my time": 4}, "occurred_at": "2026-03-01T11:00:00Z", "ref": "s1"}
    stage.send("POST", "./evaluations", about | said)
    page = shown(browser, f"/my-badges/members/{member_of(stage.runtime, 'm11')}/records")
    assert "There is nothing yet." in page


def test_evidence_stands_in_plain_words_with_how_to_have_it_corrected(browser: TestClient, stage: Stage) -> None:
    claimed(stage)
    record = stage.share(1, title="A draft")
    path = f"/my-badges/members/{member_of(stage.runtime, 'm11')}/records?kind=contribution"
    page = shown(browser, path)
    assert "You shared a resource" in page
    assert "A draft" in page
    assert f"<code>{record['id']}</code>" in page
    assert 'href="https://river.example.org"' in page
    stage.send("POST", f"./records/{record['id']}/void", {"reason": "Not theirs."})
    assert "it was taken back" in shown(browser, path)


def test_words_of_others_are_never_markup(browser: TestClient, stage: Stage) -> None:
    claimed(stage)
    stage.member("m12", name="<b>x</b>")
    stage.rate("m12", {"<i>": 3}, comment="<script>alert(1)</script> [x](javascript:alert(1))")
    page = shown(browser, f"/my-badges/members/{member_of(stage.runtime, 'm11')}/records")
    assert not re.search(r"<script>|<b>x|<i>|href=.javascript", page)


# --- Appeals -------------------------------------------------------------------------------------------------------


def contested(browser: TestClient, stage: Stage, ref: str = "m11", **matter: str) -> str:
    path = f"/my-badges/members/{member_of(stage.runtime, ref)}/appeal"
    return done(send(browser, path, path, statement="I was there twice.", **matter))


def test_a_refusal_by_the_rules_is_contested_as_the_member(browser: TestClient, stage: Stage) -> None:
    claimed(stage)
    stage.achievement()
    stage.share(1)
    where = contested(browser, stage, achievement="sharer")
    page = shown(browser, where)
    assert "It waits for a mediator" in page
    assert "I was there twice." in page
    with stage.runtime.database.read() as session:
        case = session.get_one(Case, UUID(where.rpartition("/")[2]))
        assert (case.opened_by, case.opened_by_token, case.kind) == (case.member_id, None, "refusal")


def test_a_declined_approval_is_appealed_from_my_badges_within_its_time(browser: TestClient, stage: Stage) -> None:
    claimed(stage)
    stage.member("d1", roles=[{"role": "director", "from": "2026-01-01T00:00:00Z"}, "approver"])
    stage.achievement(rule=APPROVED)
    stage.share(1)
    stage.share(2)
    (waiting,) = stage.send("GET", "./approvals", params={"state": "waiting"})["items"]
    by = stage.token_with("awards:approve", member="d1")
    stage.send("POST", f"./approvals/{waiting['id']}/refusal", {"reason": "Not yet."}, token=by)
    page = shown(browser, "/my-badges")
    assert "declined on 2 March 2026" in page
    assert "until 2 June 2026" in page
    assert "Not yet." in page
    contested(browser, stage, approval=waiting["id"])
    assert "Appeal this decision" not in shown(browser, "/my-badges")


def test_after_its_time_a_decision_is_no_longer_offered_and_cannot_be_appealed(
    browser: TestClient, stage: Stage, clock: Clock
) -> None:
    claimed(stage)
    credential = earned(stage)
    stage.send("POST", f"/v1/credentials/{credential}/revocation", {"reason": "A copy."})
    assert "revoked on 2 March 2026" in shown(browser, "/my-badges")
    clock.advance(days=93)
    browser.headers["Cookie"] = signed_in(stage.runtime, MINE)
    assert "Decisions that you can appeal" not in shown(browser, "/my-badges")
    path = f"/my-badges/members/{member_of(stage.runtime, 'm11')}/appeal"
    answer = send(browser, path, path, statement="Late.", credential=credential)
    assert answer.status_code == 409
    assert "The time in which this decision could be contested is over." in answer.text


def test_who_contests_can_add_escalate_and_withdraw(browser: TestClient, stage: Stage) -> None:
    claimed(stage)
    stage.achievement()
    stage.share(1)
    where = contested(browser, stage, achievement="sharer")
    assert send(browser, where, f"{where}/statements", statement="").status_code == 422
    done(send(browser, where, f"{where}/statements", statement="One more thing."), where)
    done(send(browser, where, f"{where}/escalation"), where)
    assert "Somebody else is to decide it" in shown(browser, where)
    done(send(browser, where, f"{where}/withdrawal"), where)
    page = shown(browser, where)
    assert "You withdrew it" in page
    assert "One more thing." in page
    assert "<textarea" not in page
    with stage.runtime.database.read() as session:
        steps = session.scalars(select(CaseStep).order_by(CaseStep.id)).all()
        assert [(step.kind, step.part) for step in steps] == [
            ("opened", "member"),
            ("statement", "member"),
            ("escalated", "member"),
            ("withdrawn", "member"),
        ]


def test_an_appeal_without_words_or_with_too_many_is_asked_again(browser: TestClient, stage: Stage) -> None:
    claimed(stage)
    path = f"/my-badges/members/{member_of(stage.runtime, 'm11')}/appeal"
    for statement, fault in (("", "Write why you disagree."), ("x" * 10_001, "Write at most 10,000 characters.")):
        answer = send(browser, path, path, statement=statement, achievement="sharer")
        assert (answer.status_code, fault in answer.text) == (422, True)


@pytest.mark.any_database("scopes are a value")
def test_who_acts_in_person_has_the_scopes_of_the_act_and_no_more() -> None:
    member = Member(id=new_id(), network_id=new_id(), ref="m11")
    caller = in_person(member, "cases:write")
    assert (caller.token_id, caller.member_id, caller.scopes) == (None, member.id, frozenset({"cases:write"}))


# --- Settings ------------------------------------------------------------------------------------------------------


def test_visibility_changes_what_strangers_find(browser: TestClient, client: TestClient, stage: Stage) -> None:
    claimed(stage)
    credential = earned(stage)
    page = f"/my-badges/{credential}"
    assert "See what they see" in shown(browser, page)
    done(send(browser, page, f"{page}/visibility", visibility="private"), page)
    assert client.get(f"/credentials/{credential}").status_code == 404
    assert "as if there were no badge" in shown(browser, page)
    done(send(browser, page, f"{page}/visibility", visibility="public"), page)
    assert client.get(f"/credentials/{credential}").status_code == 200


def test_the_name_of_the_account_is_put_on_a_badge_and_taken_off(
    browser: TestClient, client: TestClient, stage: Stage
) -> None:
    claimed(stage)
    credential = earned(stage)
    page = f"/my-badges/{credential}"
    answer = send(browser, page, f"{page}/name", name="plain")
    assert (answer.status_code, "Say in your account what your name is." in answer.text) == (409, True)
    named(stage.runtime, "Member Eleven")
    done(send(browser, page, f"{page}/name", name="plain"), page)
    assert "Member Eleven" in client.get(f"/credentials/{credential}.json").text
    done(send(browser, page, f"{page}/name", name="hashed"), page)
    assert "Member Eleven" not in client.get(f"/credentials/{credential}.json").text
    done(send(browser, page, f"{page}/name", name="none"), page)


def test_evidence_that_is_hidden_leaves_the_page_and_new_files(
    browser: TestClient, client: TestClient, stage: Stage
) -> None:
    claimed(stage)
    credential = earned(stage)
    page = f"/my-badges/{credential}"
    names = re.findall(r'name="hide-([^"]+)"', shown(browser, page))
    assert names
    done(send(browser, page, f"{page}/evidence", **{f"hide-{names[0]}": "yes"}), page)
    assert f"#{names[0]}" not in client.get(f"/credentials/{credential}.json").text
    done(send(browser, page, f"{page}/evidence"), page)
    assert f"#{names[0]}" in client.get(f"/credentials/{credential}.json").text


def test_a_badge_is_declined_only_by_who_knows_that_it_cannot_be_undone(browser: TestClient, stage: Stage) -> None:
    claimed(stage)
    credential = earned(stage)
    page = f"/my-badges/{credential}"
    assert send(browser, page, f"{page}/declining").status_code == 422
    assert "You cannot undo this." in shown(browser, page)
    done(send(browser, page, f"{page}/declining", sure="yes"), page)
    assert "You declined this badge on 2 March 2026." in shown(browser, page)
    assert "Declined by you" in shown(browser, "/my-badges")


def test_children_and_students_are_offered_neither_public_nor_a_plain_name(browser: TestClient, stage: Stage) -> None:
    claimed(stage, roles=["student"])
    credential = earned(stage)
    named(stage.runtime, "Member Eleven")
    page = f"/my-badges/{credential}"
    text = shown(browser, page)
    assert 'value="public"' not in text
    assert 'value="plain"' not in text
    assert send(browser, page, f"{page}/visibility", visibility="public").status_code == 409
    assert send(browser, page, f"{page}/name", name="plain").status_code == 409


def test_a_form_without_the_secret_of_the_sign_in_changes_nothing(browser: TestClient, stage: Stage) -> None:
    claimed(stage)
    credential = earned(stage)
    assert browser.post(f"/my-badges/{credential}/declining", data={"sure": "yes"}).status_code == 403
    with stage.runtime.database.read() as session:
        assert session.get_one(Credential, credential).revoked_at is None


# --- Nobody else ---------------------------------------------------------------------------------------------------


def test_nothing_of_another_account_can_be_seen_or_changed(browser: TestClient, stage: Stage) -> None:
    claimed(stage)
    claimed(stage, "m12", OTHER)
    credential = earned(stage, "m12")
    stage.achievement("other", name="Other", rule={"rule": "count", "where": {"types": ["authored"]}, "gte": 2})
    theirs, member = _browser(stage.runtime, OTHER), member_of(stage.runtime, "m12")
    where = contested(theirs, stage, "m12", achievement="other")
    of_member = f"/my-badges/members/{member}"
    gets = [f"/my-badges/{credential}", where, *(f"{of_member}/{of}" for of in ("progress", "records", "appeal"))]
    posts = [f"/my-badges/{credential}/{of}" for of in ("visibility", "name", "evidence", "declining")]
    posts += [f"{where}/{of}" for of in ("statements", "escalation", "withdrawal")]
    posts += [f"{of_member}/appeal", f"{of_member}/giving-back", f"/my-badges/claims/{member}"]
    for path in gets:
        assert theirs.get(path).status_code == 200, path
        assert browser.get(path).status_code == 404, path
    said = {"visibility": "private", "name": "hashed", "sure": "yes", "statement": "x", "achievement": "other"}
    mine = f"/my-badges/members/{member_of(stage.runtime, 'm11')}/appeal"
    for path in posts:
        assert send(browser, mine, path, **said).status_code == 404, path
    with stage.runtime.database.read() as session:
        row = session.get_one(Credential, credential)
        assert (row.visibility, row.revoked_at, row.name_shown) == ("unlisted", None, "none")
        assert len(session.scalars(select(CaseStep)).all()) == 1


def test_what_is_known_of_an_erased_member_is_not_shown(browser: TestClient, stage: Stage) -> None:
    claimed(stage)
    member = member_of(stage.runtime, "m11")
    assert browser.get(f"/my-badges/members/{member}/records").status_code == 200
    with stage.runtime.database.write() as session:
        session.execute(update(Member).values(erased_at=stage.runtime.now()))
    assert browser.get(f"/my-badges/members/{member}/records").status_code == 404
