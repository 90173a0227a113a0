"""Whatever is chosen, mended, corrected and taken back: the id, the status and the date stay, and no hidden name is left."""

import json
from itertools import count
from pathlib import Path
from typing import Any

import jsonschema_rs
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from credentials.proofs.jose import decode_jwt
from credentials.recipient import matches
from service.checking import verification
from service.console import compromised_keys
from service.console.compromised_keys import CompromisedIn
from service.errors import ServiceError
from service.runtime.runtime import Runtime
from service.tables import Key, Network
from tests.worlds.awarding import SHARE_TWICE, Stage
from tests.worlds.presenting import decline, document_of, hide, present, prove, row_of, see
from tests.worlds.runtimes import Clock

NAMES = ("Ana Souza", "Ana Maria Lima")
ADDRESSES = ("ana@home.example.org", "ana@lima.example.org")
ITEMS = ("evidence-1", "evidence-2", "evidence-3", "time")
SLUGS = count()
SCHEMAS = Path(__file__).parents[4] / "shared" / "data" / "1edtech-schemas"

names, shown = st.sampled_from(NAMES), st.sampled_from(("hashed", "plain", "none"))
steps = st.one_of(
    st.tuples(st.just("name"), st.tuples(shown, names)),
    st.tuples(st.just("address"), st.sampled_from(ADDRESSES)),
    st.tuples(st.just("hide"), st.sets(st.sampled_from(ITEMS))),
    st.tuples(st.just("see"), st.sampled_from(("public", "unlisted", "private"))),
    st.tuples(st.just("steal"), st.just("")),
    st.tuples(st.just("correct"), st.integers(1, 60)),
    st.tuples(st.just("suspend"), st.just("")),
    st.tuples(st.just("reinstate"), st.just("")),
)
lasts = st.sampled_from((("revoke", ""), ("decline", ""), ("name", ("none", "")), ("hide", frozenset())))


class Story:
    """A badge, what its recipient chose last, and every text that was given out of it."""

    def __init__(self, runtime: Runtime, client: TestClient, clock: Clock) -> None:
        self.runtime, self.clock = runtime, clock
        self.stage = stage = Stage.set_up(client, runtime, f"circle-{next(SLUGS)}")
        stage.achievement(rule=SHARE_TWICE | {"gte": 3}, valid_for="P9Y")
        ref = f"ana-{stage.slug}"
        stage.member(ref, email="ana@river.example.org")
        self.record, *_ = [stage.share(n, ref, minutes=10)["id"] for n in (1, 2, 3)]
        [award] = stage.awards(member=ref)
        self.badge: str = award["credential"]["id"]
        for address in ADDRESSES:
            prove(runtime, ref, address)
        self.first = row_of(runtime, self.badge)
        self.given: list[str] = [self.first.signed]
        self.stolen: set[str] = set()
        self.named: tuple[str, str] = ("none", "")
        self.address = "ana@river.example.org"
        self.over = False

    def do(self, step: str, said: Any) -> None:
        """Carry out a step, which may be refused."""
        self.clock.advance(minutes=10)
        runtime, stage, badge = self.runtime, self.stage, self.badge
        at = f"/v1/credentials/{badge}"
        try:
            if step == "name":
                present(runtime, badge, name_shown=said[0], name=said[1])
                self.named = said
            elif step == "address":
                present(runtime, badge, address=said)
                self.address = said
            elif step == "hide":
                hide(runtime, badge, *said)
            elif step == "see":
                see(runtime, badge, said)
            elif step == "decline":
                decline(runtime, badge)
                self.over = True
            elif step == "steal":
                self.steal()
            elif step == "correct":
                body = {"changes": {"minutes": said}, "reason": "Miscounted."}
                answer = stage.call("POST", f"./records/{self.record}/correction", json=body)
                self.record = answer.json()["id"] if answer.is_success else self.record
            elif step == "reinstate":
                stage.call("POST", f"{at}/reinstatement")
            else:
                kind = {"suspend": "suspension", "revoke": "revocation"}[step]
                answer = stage.call("POST", f"{at}/{kind}", json={"reason": "R."})
                self.over = self.over or (step == "revoke" and answer.is_success)
        except ServiceError:
            assert self.over, (step, said)
        text = row_of(runtime, badge).signed
        if text != self.given[-1]:
            assert not self.over
            self.given.append(text)

    def steal(self) -> None:
        """Declare that others have had the key since now, and set right what it signed."""
        self.stolen.update(self.given)
        with self.runtime.database.read() as session:
            network = session.scalars(select(Network).where(Network.slug == self.stage.slug)).one()
            mine = Key.network_id == network.id, Key.algorithm == "Ed25519", Key.retired_at.is_(None)
            [kid] = session.scalars(select(Key.kid).where(*mine)).all()
        now = self.clock.at
        compromised_keys.declare(self.runtime, CompromisedIn(kids=[kid], since=now), now)


# Without shrinking: it would take minutes, and the steps are few.
@settings(
    deadline=None, suppress_health_check=list(HealthCheck), max_examples=12, phases=(Phase.explicit, Phase.generate)
)
@given(happened=st.lists(steps, min_size=2, max_size=7), last=lasts)
def test_id_status_and_date_stay_and_no_hidden_name_is_left(
    runtime: Runtime, client: TestClient, clock: Clock, happened: list[tuple[str, Any]], last: tuple[str, Any]
) -> None:
    story = Story(runtime, client, clock)
    first = json.loads(story.first.signed)
    schema: Any = None
    if SCHEMAS.is_dir():
        schema = jsonschema_rs.validator_for(json.loads((SCHEMAS / "achievementcredential.json").read_text()))
    for step, said in [*happened, last, ("name", ("plain", NAMES[0])), ("address", ADDRESSES[0])]:
        if last[0] not in {"revoke", "decline"} and (step, said) == ("name", ("plain", NAMES[0])):
            break
        story.do(step, said)
        row, document = row_of(runtime, story.badge), document_of(runtime, story.badge)
        assert row.status_index == story.first.status_index
        for name in ("id", "awardedDate", "credentialStatus", "issuer", "validUntil"):
            assert document[name] == first[name]
        how, name = story.named
        assert row.name_shown == how
        for each in NAMES:
            plain = (how, name) == ("plain", each)
            assert (each in row.signed, each in json.dumps(decode_jwt(row.jwt).payload)) == (plain, plain)
            expected = each == name if how != "none" else None
            assert matches(document["credentialSubject"], each) is expected
        for address in (*ADDRESSES, "ana@river.example.org"):
            assert matches(document["credentialSubject"], address) is (address == story.address)
        for text in (row.signed, row.jwt, *(each for each in story.given if each not in story.stolen)):
            report = verification.verify_received(runtime, text)
            stands = row.revoked_at is None and row.suspended_at is None
            assert report.verdict == ("verified" if stands else "rejected"), report.to_json()
        if schema is not None:
            assert [error.message for error in schema.iter_errors(document)] == []
    texts = [json.loads(each)["validFrom"] for each in story.given]
    assert texts == sorted(texts)
    assert story.over == (last[0] in {"revoke", "decline"})
