"""Claiming: by whom, once, and what the network says afterwards; and the way back."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from credentials.recipient import matches
from service.accounts import accounts
from service.errors import ConflictError, NotFoundError, TooManyRequestsError
from service.runtime.runtime import Runtime
from service.sharing import claiming, offers, signing_anew, unclaiming
from service.tables import Member
from tests.worlds.acting import refused, told
from tests.worlds.awarding import Stage
from tests.worlds.claiming import (
    ADDRESS,
    account_of,
    account_with,
    addresses_of,
    awarded,
    claimed_by_link,
    code_for,
    holder_of,
    link_to,
    stage_of,
    undo_to,
)
from tests.worlds.presenting import document_of
from tests.worlds.runtimes import Clock
from tests.worlds.signing_in import mails_to

OTHER = "m12@river.example.org"
THIEF = "thief@hill.example.org"


@pytest.fixture
def stage(runtime: Runtime) -> Stage:
    stage = stage_of(runtime)
    awarded(stage)
    stage.laid.clear()  # what is claimed here is no request, and must not be laid for another test
    return stage


def code_of(error: pytest.ExceptionInfo[Any]) -> str:
    return str(error.value.code)


def undo(runtime: Runtime, secret: str) -> None:
    with runtime.database.write() as session:
        unclaiming.undo(session, secret, runtime.now())


@pytest.mark.usefixtures("stage")
def test_the_mail_of_a_new_badge_bears_its_link_first_and_the_claim_link(runtime: Runtime) -> None:
    [text] = mails_to(runtime, ADDRESS)
    assert text.index("/credentials/") < text.index("/claim/")
    assert "put your name on it, hide it or share it" in text


def test_the_mails_of_two_badges_bear_one_link(stage: Stage, runtime: Runtime) -> None:
    first = link_to(runtime)
    stage.achievement("second")
    assert len(mails_to(runtime, ADDRESS)) == 2
    assert link_to(runtime) == first


def test_who_has_claimed_is_led_to_their_badges(stage: Stage, runtime: Runtime) -> None:
    claimed_by_link(runtime, link_to(runtime))
    stage.achievement("second")
    text = mails_to(runtime, ADDRESS)[-1]
    assert "/my-badges" in text
    assert "/claim/" not in text


@pytest.mark.usefixtures("stage")
def test_a_claim_proves_the_address_and_makes_an_account(runtime: Runtime) -> None:
    account_id = claimed_by_link(runtime, link_to(runtime))
    assert holder_of(runtime) == account_id
    assert addresses_of(runtime, account_id) == {ADDRESS}
    assert told(runtime, "river")[-1] == "member.claimed"


@pytest.mark.usefixtures("stage")
def test_a_link_adds_the_address_to_the_account_of_who_is_signed_in(runtime: Runtime) -> None:
    mine = account_with(runtime, "me@hill.example.org")
    assert claimed_by_link(runtime, link_to(runtime), mine) == mine
    assert addresses_of(runtime, mine) == {ADDRESS, "me@hill.example.org"}


@pytest.mark.usefixtures("stage")
def test_a_link_works_once(runtime: Runtime) -> None:
    link = link_to(runtime)
    account_id = claimed_by_link(runtime, link)
    for other in (None, account_with(runtime, THIEF)):
        with pytest.raises(ConflictError):
            claimed_by_link(runtime, link, other)
    assert holder_of(runtime) == account_id


@pytest.mark.usefixtures("stage")
def test_of_two_who_claim_at_once_one_does(runtime: Runtime) -> None:
    link = link_to(runtime)
    people = [account_with(runtime, address) for address in (OTHER, THIEF)]

    def claim(account_id: UUID) -> UUID | None:
        with suppress(ConflictError):
            return claimed_by_link(runtime, link, account_id)
        return None

    with ThreadPoolExecutor(2) as pool:
        done = [each for each in pool.map(claim, people) if each is not None]
    assert done == [holder_of(runtime)]


@pytest.mark.usefixtures("stage")
def test_a_link_signs_nobody_in_to_an_account_that_was_there(runtime: Runtime) -> None:
    owner, link = account_with(runtime, ADDRESS), link_to(runtime)
    for other in (None, account_with(runtime, THIEF)):
        with pytest.raises(ConflictError) as error:
            claimed_by_link(runtime, link, other)
        assert code_of(error) == "claim-other-account"
    assert claimed_by_link(runtime, link, owner) == owner


@pytest.mark.usefixtures("stage")
def test_a_link_ends_after_thirty_days_and_another_is_sent_to_the_same_address(runtime: Runtime, clock: Clock) -> None:
    link = link_to(runtime)
    clock.advance(days=31)
    with pytest.raises(ConflictError):
        claimed_by_link(runtime, link)
    with runtime.database.write() as session:
        claiming.ask_again(session, runtime, link, runtime.now())
    assert claimed_by_link(runtime, link_to(runtime)) == holder_of(runtime)


@pytest.mark.usefixtures("stage")
def test_three_links_are_sent_in_a_day(runtime: Runtime, clock: Clock) -> None:
    link = link_to(runtime)
    clock.advance(days=31)
    for _ in range(3):
        with runtime.database.write() as session:
            claiming.ask_again(session, runtime, link, runtime.now())
    with runtime.database.write() as session, pytest.raises(TooManyRequestsError) as error:
        claiming.ask_again(session, runtime, link, runtime.now())
    assert code_of(error) == "claim-sent-too-often"
    clock.advance(days=1, minutes=1)
    with runtime.database.write() as session:
        claiming.ask_again(session, runtime, link, runtime.now())


def test_a_link_ends_with_the_address_to_which_it_was_sent(stage: Stage, runtime: Runtime) -> None:
    link = link_to(runtime)
    stage.member(email=OTHER)
    with pytest.raises(ConflictError) as error:
        claimed_by_link(runtime, link)
    assert code_of(error) == "claim-over"
    with runtime.database.write() as session, pytest.raises(ConflictError):
        claiming.ask_again(session, runtime, link, runtime.now())


def test_what_is_claimed_stays_when_the_network_changes_the_address(stage: Stage, runtime: Runtime) -> None:
    owner = claimed_by_link(runtime, link_to(runtime))
    stage.member(email=OTHER)
    assert holder_of(runtime) == owner
    stage.achievement("second")
    assert [each for each in mails_to(runtime, OTHER) if "/claim/" in each] == []
    assert "/my-badges" in mails_to(runtime, ADDRESS)[-1]


def test_a_claimed_member_does_not_become_somebody_else_by_an_address(stage: Stage, runtime: Runtime) -> None:
    awarded(stage, "m12", OTHER)
    owner = claimed_by_link(runtime, link_to(runtime))
    other = claimed_by_link(runtime, link_to(runtime, OTHER))
    stage.member(email=OTHER)
    assert (holder_of(runtime), holder_of(runtime, "m12")) == (owner, other)
    assert stage.send("GET", "./members/m11")["perhaps_same_as"] == ["m12"]
    answer = stage.call("PUT", "./members/m11/person", json={"same_as": "m12"})
    assert refused(answer) == (409, "member-claimed", "/same_as")


def test_a_new_member_with_a_proved_address_is_the_person_who_claimed(stage: Stage, runtime: Runtime) -> None:
    owner = claimed_by_link(runtime, link_to(runtime))
    awarded(stage, "m11-again", ADDRESS)
    assert holder_of(runtime, "m11-again") == owner


def test_a_new_member_with_an_address_that_only_the_network_gave_is_asked_about(stage: Stage, runtime: Runtime) -> None:
    claimed_by_link(runtime, link_to(runtime))
    stage.member(email=OTHER)
    stage.member("m12", email=OTHER)
    assert holder_of(runtime, "m12") is None
    assert stage.send("GET", "./members/m12")["perhaps_same_as"] == ["m11"]


def test_both_stay_claimed_when_one_person_becomes_two(stage: Stage, runtime: Runtime) -> None:
    awarded(stage, "m11-again", ADDRESS)
    owner = claimed_by_link(runtime, link_to(runtime))
    stage.member("m11-again", email=OTHER)
    assert (holder_of(runtime), holder_of(runtime, "m11-again")) == (owner, owner)


def test_both_stay_claimed_when_the_network_tells_them_apart(stage: Stage, runtime: Runtime) -> None:
    awarded(stage, "m11-again", ADDRESS)
    owner = claimed_by_link(runtime, link_to(runtime))
    stage.send("PUT", "./members/m11-again/person", {"same_as": None})
    assert (holder_of(runtime), holder_of(runtime, "m11-again")) == (owner, owner)


@pytest.mark.usefixtures("stage")
def test_the_address_undoes_a_claim(runtime: Runtime) -> None:
    thief = account_with(runtime, THIEF)
    claimed_by_link(runtime, link_to(runtime), thief)
    undo(runtime, undo_to(runtime))
    assert holder_of(runtime) is None
    assert addresses_of(runtime, thief) == {THIEF}
    assert told(runtime, "river")[-1] == "member.released"
    with runtime.database.read() as session:
        assert [each.id for each in claiming.pending_of(session, thief)] == []


def test_undoing_releases_those_who_were_told_apart_since(stage: Stage, runtime: Runtime) -> None:
    awarded(stage, "m11-again", ADDRESS)
    claimed_by_link(runtime, link_to(runtime), account_with(runtime, THIEF))
    stage.send("PUT", "./members/m11-again/person", {"same_as": None})
    undo(runtime, undo_to(runtime))
    assert (holder_of(runtime), holder_of(runtime, "m11-again")) == (None, None)


@pytest.mark.usefixtures("stage")
def test_the_way_back_works_once_and_for_a_week(runtime: Runtime, clock: Clock) -> None:
    claimed_by_link(runtime, link_to(runtime))
    back = undo_to(runtime)
    clock.advance(days=7)
    with pytest.raises(NotFoundError):
        undo(runtime, back)
    clock.advance(days=-1)
    undo(runtime, back)
    with pytest.raises(NotFoundError):
        undo(runtime, back)


def test_a_code_is_for_who_has_no_address_and_works_once(stage: Stage, runtime: Runtime) -> None:
    awarded(stage, "m13", None)
    code, mine = code_for(runtime, "m13"), account_with(runtime, OTHER)
    with runtime.database.write() as session:
        claiming.by_code(session, code.lower().replace("-", " "), mine, runtime.now())
    assert holder_of(runtime, "m13") == mine
    thief = account_with(runtime, THIEF)
    with runtime.database.write() as session, pytest.raises(ConflictError):
        claiming.by_code(session, code, thief, runtime.now())
    with pytest.raises(ConflictError) as error:
        code_for(runtime, "m11")
    assert code_of(error) == "member-has-address"


def test_a_code_ends_when_the_network_gives_an_address(stage: Stage, runtime: Runtime) -> None:
    awarded(stage, "m13", None)
    code, mine = code_for(runtime, "m13"), account_with(runtime, OTHER)
    stage.member("m13", email="m13@river.example.org")
    with runtime.database.write() as session, pytest.raises(ConflictError):
        claiming.by_code(session, code, mine, runtime.now())


def test_a_new_code_replaces_the_one_before(stage: Stage, runtime: Runtime) -> None:
    awarded(stage, "m13", None)
    first, _ = code_for(runtime, "m13"), code_for(runtime, "m13")
    mine = account_with(runtime, OTHER)
    with runtime.database.write() as session, pytest.raises(ConflictError) as error:
        claiming.by_code(session, first, mine, runtime.now())
    assert str(error.value) == offers.SAID["replaced"]


@pytest.mark.usefixtures("stage")
def test_a_wrong_code_is_none(runtime: Runtime) -> None:
    mine = account_with(runtime, OTHER)
    for typed in ("", "BCDF", "BCDF-GHJK-MNPQ-RTVW", "B" * 10_000):
        with runtime.database.write() as session, pytest.raises(NotFoundError) as error:
            claiming.by_code(session, typed, mine, runtime.now())
        assert code_of(error) == "claim-code-unknown"


@pytest.mark.usefixtures("stage")
def test_an_account_claims_what_went_to_an_address_that_it_has_proved(runtime: Runtime) -> None:
    mine, other = account_with(runtime, ADDRESS), account_with(runtime, THIEF)
    with runtime.database.write() as session:
        [member] = claiming.pending_of(session, mine)
        with pytest.raises(NotFoundError):
            claiming.take_pending(session, other, member.id, runtime.now())
        claiming.take_pending(session, mine, member.id, runtime.now())
        assert list(claiming.pending_of(session, mine)) == []
    assert holder_of(runtime) == mine


@pytest.mark.usefixtures("stage")
def test_what_is_given_back_can_be_claimed_again(runtime: Runtime) -> None:
    mine, link = account_with(runtime, ADDRESS), link_to(runtime)
    claimed_by_link(runtime, link, mine)
    thief = account_with(runtime, THIEF)
    with runtime.database.write() as session:
        member_id = session.scalars(select(Member.id).where(Member.ref == "m11")).one()
        with pytest.raises(NotFoundError):
            unclaiming.give_back(session, thief, member_id, runtime.now())
        unclaiming.give_back(session, mine, member_id, runtime.now())
    assert holder_of(runtime) is None
    with runtime.database.write() as session:
        claiming.ask_again(session, runtime, link, runtime.now())
    assert claimed_by_link(runtime, link_to(runtime), mine) == mine


def test_erasing_a_member_releases_them_and_deletes_their_claims(stage: Stage, runtime: Runtime) -> None:
    link = link_to(runtime)
    claimed_by_link(runtime, link)
    stage.send("DELETE", "./members/m11")
    assert holder_of(runtime) is None
    assert account_of(runtime, ADDRESS) is not None
    with runtime.database.read() as session, pytest.raises(NotFoundError):
        offers.offered_by_link(session, link, None, runtime.now())


def test_a_member_cannot_decide_on_another_of_the_same_account(stage: Stage, runtime: Runtime) -> None:
    awarded(stage, "m12", OTHER)
    mine = claimed_by_link(runtime, link_to(runtime))
    claimed_by_link(runtime, link_to(runtime, OTHER), mine)
    token = stage.token_with("members:write", member="m11")
    answer = stage.call("PUT", "./members/m12", token, json={"roles": ["facilitator"]})
    assert refused(answer)[:2] == (403, "self-decision")


def test_who_claims_after_somebody_else_is_named_by_the_badges_again(stage: Stage, runtime: Runtime) -> None:
    badge = stage.awards(member="m11")[0]["credential"]["id"]
    link = link_to(runtime)
    thief = claimed_by_link(runtime, link, account_with(runtime, THIEF))
    with runtime.database.write() as session:
        account = accounts.locked(session, thief)
        kept = next(each for each in accounts.addresses_of(session, account) if each.value == THIEF)
        accounts.keep(session, account, kept.id)
    signing_anew.sign_due(runtime)
    assert matches(document_of(runtime, badge)["credentialSubject"], THIEF)
    undo(runtime, undo_to(runtime, ADDRESS))
    stage.send("POST", "./members/m11/claims", {"by": "mail"})
    claimed_by_link(runtime, link_to(runtime))
    signing_anew.sign_due(runtime)
    subject = document_of(runtime, badge)["credentialSubject"]
    assert (matches(subject, ADDRESS), matches(subject, THIEF)) == (True, False)


@pytest.mark.usefixtures("stage")
def test_a_badge_that_names_its_owner_is_not_signed_again_when_it_is_claimed(runtime: Runtime) -> None:
    claimed_by_link(runtime, link_to(runtime))
    assert signing_anew.sign_due(runtime) == 0
