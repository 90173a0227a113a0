"""What a programmer does wrong in the first hour, and whether the answer says how to mend it."""

from collections.abc import Mapping
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.runtime.runtime import Runtime
from tests.worlds.acting import HILL, actor
from tests.worlds.awarding import Stage
from tests.worlds.runtimes import BASE_URL

pytestmark = pytest.mark.any_database("the sentences are the same on both databases")

CONTRIBUTIONS, EVALUATIONS, ACHIEVEMENTS = "POST ./contributions", "POST ./evaluations", "POST ./achievements"
OCCURRED = {"occurred_at": "2026-03-01T10:00:00Z"}
STARTS, EXPIRES = {"starts_at": "2026-03-01T10:00:00Z"}, {"expires_at": "2027-01-01T00:00:00Z"}
PAPER = {"achievement": "sharer", "member": "m11", "basis": "recorded", "awarded_at": "2021-06-30T12:00:00Z"}
SHARED = {"member": "m11", "type": "shared", "resource": "r"} | OCCURRED
ENDORSED = {
    "kind": "endorsement",
    "about": {"member": "m11"},
    "evaluator": "rosa",
    "statement": "Helps others.",
} | OCCURRED
BADGE = {
    "ref": "reader",
    "name": "Reader",
    "description": "Reads.",
    "achievement_type": "Badge",
    "criteria": {"narrative": "Read.", "rule": {"rule": "count", "where": {"types": ["read"]}, "gte": 2}},
    "award": "automatic",
}
MORE, SAME = ({"changes": each, "reason": "misread"} for each in ({"minutes": 5}, {"resource": "r"}))
NOBODY = "00000000-0000-7000-8000-000000000000"


def badge(**changed: Any) -> dict[str, Any]:
    return BADGE | changed


def ruled(rule: Any) -> dict[str, Any]:
    return badge(criteria={"narrative": "Read.", "rule": rule})


# What is wrong, the request, its body, what else is said with it, and then: status, code, pointer, and how it is mended.
PROVOKED: list[tuple[str, str, Any, Mapping[str, Any], int, str, str | None, str]] = [
    ("no token", "GET ./members", None, {"token": ""}, 401, "token-missing", None, "the header `Authorization: Bearer"),
    ("a wrong token", "GET ./members", None, {"token": "laurel_x"}, 401, "token-unknown", None, "or was cut off"),
    (
        *("a token without Bearer", "GET ./members", None, {"token": "", "headers": {"Authorization": "laurel_x"}}),
        *(401, "token-missing", None, "`Authorization: Bearer <token>`, got one that says something else"),
    ),
    (
        *("a wrong scope", CONTRIBUTIONS, SHARED, {"token": "reader"}),
        *(403, "scope-missing", None, "a token with the scope evidence:write; this one has read."),
    ),
    (
        *("an admin's token", "GET ./members", None, {"token": "admin"}),
        *(403, "admin-token", None, "Make one with `laurel token create --network SLUG`"),
    ),
    (
        *("another network", "GET /v1/networks/hill-readers/members", None, {}),
        *(404, "network-unknown", None, "the slug of the network to which the token belongs"),
    ),
    (
        *("a closed network", "POST /v1/networks/hill-readers/contributions", SHARED, {"token": "closed"}),
        *(409, "network-closed", None, "closed and takes nothing new"),
    ),
    (
        "a number for a text",
        CONTRIBUTIONS,
        SHARED | {"member": 7},
        {},
        422,
        "string-type",
        "/member",
        "expected a text",
    ),
    (
        "a text for a number",
        CONTRIBUTIONS,
        SHARED | {"minutes": "50"},
        {},
        422,
        "int-type",
        "/minutes",
        "a whole number",
    ),
    ("a text for a list", CONTRIBUTIONS, SHARED | {"tags": "a,b"}, {}, 422, "list-type", "/tags", "expected a list"),
    (
        *("a negative number", CONTRIBUTIONS, SHARED | {"minutes": -5}, {}),
        *(422, "greater-than-equal", "/minutes", "expected a number of 0 or more; got the number -5"),
    ),
    (
        *("a member missing", CONTRIBUTIONS, {"member": "m11"} | OCCURRED, {}),
        *(422, "missing", "/type", "the member `type`, which is missing"),
    ),
    (
        *("a member misspelt", CONTRIBUTIONS, {"membre": "m11", "type": "shared"} | OCCURRED, {}),
        *(422, "extra-forbidden", "/membre", "did you mean `member`?"),
    ),
    (
        *("a type misspelt", CONTRIBUTIONS, SHARED | {"type": "shraed"}, {}),
        *(422, "contribution-type-unknown", "/type", "did you mean `shared`?"),
    ),
    (
        *("no time zone", CONTRIBUTIONS, SHARED | {"occurred_at": "2026-03-01T10:00:00"}, {}),
        *(422, "instant-invalid", "/occurred_at", "with zone, such as 2026-03-01T17:00:00Z; got '2026-03-01T10:00:00'"),
    ),
    (
        *("a date of the country", CONTRIBUTIONS, SHARED | {"occurred_at": "01.03.2026"}, {}),
        *(422, "instant-invalid", "/occurred_at", "such as 2026-03-01T17:00:00Z; got '01.03.2026'"),
    ),
    (
        *("a time to come", CONTRIBUTIONS, SHARED | {"occurred_at": "2036-03-01T10:00:00Z"}, {}),
        *(
            422,
            "time-in-future",
            "/occurred_at",
            "`occurred_at`: expected a time at most five minutes ahead of ours, which is 2026-",
        ),
    ),
    (
        *("the year misspelt", CONTRIBUTIONS, SHARED | {"occurred_at": "2062-03-01T10:00:00Z"}, {}),
        *(422, "time-in-future", "/occurred_at", "; got 2062-03-01T10:00:00Z."),
    ),
    (
        *("an unknown session", CONTRIBUTIONS, SHARED | {"session": "nowhere"}, {}),
        *(
            422,
            "session-unknown",
            "/session",
            "`session`: expected the ref of a session of this network; post the session first",
        ),
    ),
    (
        *("an unknown file", CONTRIBUTIONS, SHARED | {"artifacts": [{"blob": "0" * 64}]}, {}),
        *(422, "blob-unknown", "/artifacts/0/blob", "`artifacts[0].blob`: expected"),
    ),
    (
        "a list",
        CONTRIBUTIONS,
        [SHARED],
        {},
        422,
        "model-attributes-type",
        None,
        "Expected an object; got a list of 1 entry",
    ),
    ("no body", CONTRIBUTIONS, b"", {}, 422, "missing", None, "a JSON object as the body, got an empty body"),
    ("no JSON", CONTRIBUTIONS, b'{"member": "m11",}', {}, 400, "json-syntax", None, "at line 1, column 18"),
    (
        *("a form", CONTRIBUTIONS, b"a=b", {"headers": {"Content-Type": "application/x-www-form-urlencoded"}}),
        *(415, "media-type-unsupported", None, "of the Content-Type application/json"),
    ),
    (
        *("another compression", CONTRIBUTIONS, b"x", {"headers": {"Content-Encoding": "br"}}),
        *(415, "encoding-unsupported", None, "in gzip or not compressed at all, got the Content-Encoding 'br'"),
    ),
    (
        *("a ref with another body", CONTRIBUTIONS, SHARED | {"ref": "void", "resource": "other"}, {}),
        *(409, "record-differs", "/ref", "a new ref or source"),
    ),
    (
        *("a key with another body", CONTRIBUTIONS, SHARED | {"ref": "b"}, {"headers": {"Idempotency-Key": "k1"}}),
        *(409, "idempotency-key-reused", None, "a new Idempotency-Key"),
    ),
    (
        *("an unknown kind", EVALUATIONS, ENDORSED | {"kind": "endorsment"}, {}),
        *(
            422,
            "evaluation-kind",
            "/kind",
            "expected one of rubric, score, survey, endorsement, reflection; got 'endorsment' (did you mean",
        ),
    ),
    (
        *("oneself", EVALUATIONS, ENDORSED | {"evaluator": "m11"}, {}),
        *(422, "self-evaluation", "/evaluator", "`evaluator`: expected another person than the one evaluated"),
    ),
    (
        *("about nothing", EVALUATIONS, ENDORSED | {"about": {}}, {}),
        *(422, "about-one", "/about", "exactly one of member, contribution, session, network"),
    ),
    (
        *("an unknown contribution", EVALUATIONS, ENDORSED | {"about": {"contribution": "none"}}, {}),
        *(422, "contribution-unknown", "/about/contribution", "by its ref or its id"),
    ),
    (
        *("a rule misspelt", ACHIEVEMENTS, ruled({"rule": "cuont", "gte": 1}), {}),
        *(422, "rule-unknown", "/criteria/rule/rule", "did you mean `count`?"),
    ),
    (
        *("a member of a rule misspelt", ACHIEVEMENTS, ruled({"rule": "count", "gte": 1, "were": {}}), {}),
        *(422, "extra-forbidden", "/criteria/rule/were", "did you mean `where`?"),
    ),
    (
        *("a rule without its number", ACHIEVEMENTS, ruled({"rule": "count"}), {}),
        *(422, "missing", "/criteria/rule/gte", "the member `criteria.rule.gte`"),
    ),
    (
        *("no rule", ACHIEVEMENTS, ruled({"not": {}}), {}),
        *(422, "criterion-invalid", "/criteria/rule", 'a rule ({"rule": ...}) or a group ("all", "any" or "at_least")'),
    ),
    (
        *("a word misspelt", ACHIEVEMENTS, badge(award="auto"), {}),
        *(422, "literal-error", "/award", "did you mean `automatic`?"),
    ),
    (
        *("a type of badge misspelt", ACHIEVEMENTS, badge(achievement_type="Bagde"), {}),
        *(422, "type-unknown", "/achievement_type", "did you mean `Badge`?"),
    ),
    ("a ref with a slash", ACHIEVEMENTS, badge(ref="a/b"), {}, 422, "ref-invalid", "/ref", "without a slash"),
    (
        *("an unknown achievement", "POST ./awards", {"achievement": "none", "member": "m11"}, {}),
        *(404, "achievement-unknown", "/achievement", "the list of achievements has them all"),
    ),
    (
        *("an unknown member", "POST ./awards", {"achievement": "sharer", "member": "m99"}, {}),
        *(404, "member-unknown", "/member", "post the member first, or correct it"),
    ),
    (
        *("a draft", "POST ./awards", {"achievement": "draft", "member": "m11"}, {}),
        *(409, "achievement-unpublished", "/achievement", "Publish it first"),
    ),
    (
        *("an award on paper without a reason", "POST ./awards", PAPER, {}),
        *(422, "reason-missing", "/reason", "`reason`: expected a reason with the basis recorded"),
    ),
    (
        *("what is void voided", "POST ./records/{voiding}/void", {"reason": "again"}, {}),
        *(409, "void-of-void", None, "what is void stays void"),
    ),
    (
        *("an unknown record", f"POST ./records/{NOBODY}/void", {"reason": "x"}, {}),
        *(404, "record-unknown", None, "lists and earlier answers give it"),
    ),
    (
        *("a cursor of one's own", "GET ./contributions?after=2", None, {}),
        *(422, "cursor-invalid", "after", "from the member `next` of an earlier page"),
    ),
    (
        *("the cursor of other events", "GET ./events?type=award.made&after={cursor}", None, {}),
        *(422, "cursor-elsewhere", "after", "begin without `after`"),
    ),
    (
        *("a filter that names nobody", "GET ./contributions?member=m99", None, {}),
        *(422, "member-unknown", "member", "none has the ref that is given"),
    ),
    (
        *("a type of event misspelt", "GET ./events?type=award.maid", None, {}),
        *(422, "event-type-unknown", "type", "did you mean `award.made`?"),
    ),
    (
        *("JSON for lines", "POST ./contributions/bulk", SHARED, {}),
        *(415, "media-type-unsupported", None, "of the Content-Type application/x-ndjson, got 'application/json'"),
    ),
    (
        *("a correction of what is void", "POST ./records/{voided}/correction", MORE, {}),
        *(409, "record-void", None, "a record that is not void"),
    ),
    (
        *("a correction without a change", "POST ./records/{right}/correction", SAME, {}),
        *(422, "correction-empty", "/changes", "the record says exactly this already"),
    ),
    (
        *("a change to what was changed", "PATCH ./members/m11", {"name": "A."}, {"headers": {"If-Match": '"old"'}}),
        *(412, "precondition-failed", None, "Read it again"),
    ),
    (
        *("a session on which evidence rests deleted", "DELETE ./sessions/used", None, {}),
        *(409, "session-in-use", None, "got one with 1 contribution. It can be changed"),
    ),
    (
        *("a draft that was published deleted", "DELETE ./achievements/sharer", None, {}),
        *(409, "achievement-published", None, "Retire it instead"),
    ),
    (
        *("a scope of members without one", "POST ./tokens", {"name": "x", "scopes": ["awards:approve"]} | EXPIRES),
        *({"token": "admin"}, 422, "scope-needs-member", "/scopes", "Say whose token it is"),
    ),
    (
        *("too long a page", "GET ./contributions?limit=100000", None, {}),
        *(422, "less-than-equal", "limit", "expected a number of 200 or less"),
    ),
    (
        *("a parameter misspelt", "GET ./contributions?membre=m11", None, {}),
        *(422, "query-unknown", "membre", "did you mean `member`?"),
    ),
    (
        *("a date in words", "GET ./contributions?since=yesterday", None, {}),
        *(422, "instant-invalid", "since", "such as 2026-03-01T17:00:00Z"),
    ),
    (
        *("a zone in an address", "GET ./contributions?since=2026-03-01T10:00:00+01:00", None, {}),
        *(422, "instant-invalid", "since", "write it as %2B"),
    ),
    (
        *("a day of the country", "GET ./contributions?occurred_from=01.03.2026", None, {}),
        *(422, "moment-invalid", "occurred_from", "such as 2026-03-01; got '01.03.2026'"),
    ),
    (
        *("a part misspelt", "GET ./contributions?expand=members", None, {}),
        *(422, "string-pattern-mismatch", "expand", "expected the word member"),
    ),
    (
        *("a role with a space", "PUT ./members/m12", {"roles": ["Site Director"]}, {}),
        *(422, "string-pattern-mismatch", "/roles/0/role", "a letter first, such as site_director"),
    ),
    (
        *("a slug in capitals", "POST /v1/networks", HILL | {"slug": "Hill"}, {"token": "admin"}),
        *(422, "string-pattern-mismatch", "/slug", "such as my-circle"),
    ),
    (
        *("no rule for an automatic award", ACHIEVEMENTS, badge(criteria={"narrative": "Read."}), {}),
        *(422, "rule-missing", "/award", "or award: reviewed; got 'automatic'"),
    ),
    (
        *("another encoding", CONTRIBUTIONS, '{"member": "é"}'.encode("latin-1"), {}),
        *(400, "json-not-utf8", None, "Expected a text in UTF-8, got bytes"),
    ),
    ("another method", "PATCH ./contributions", {}, {}, 405, "method-not-allowed", None, "GET, HEAD, POST, OPTIONS"),
    ("an address misspelt", "GET ./contribution", None, {}, 404, "not-found", None, "/openapi.json"),
    (
        *("an event misspelt", "POST ./webhooks", {"url": "https://93.184.216.34/h", "types": ["award.maid"]}, {}),
        *(422, "event-type-unknown", "/types/0", "did you mean `award.made`?"),
    ),
    (
        *("a webhook without https", "POST ./webhooks", {"url": "http://example.org/h"}, {}),
        *(422, "address-refused", "/url", "`url`: expected an https address"),
    ),
    (
        *("no e-mail address", "PUT ./members/m12", {"email": "nobody"}, {}),
        *(422, "email-invalid", "/email", "such as m11@example.org"),
    ),
    ("two refs", "PUT ./members/m12", {"ref": "m13"}, {}, 422, "ref-differs", "/ref", "the ref of the path, or none"),
    (
        *("a session that ends first", "PUT ./sessions/s1", STARTS | {"ends_at": "2026-03-01T09:00:00Z"}, {}),
        *(422, "session-ends-before-start", "/ends_at", "ends after it starts"),
    ),
    (
        *(
            "a scope misspelt",
            "POST ./tokens",
            {"name": "x", "scopes": ["evidence:wriet"]} | EXPIRES,
            {"token": "admin"},
        ),
        *(422, "scope-unknown", "/scopes", "did you mean `evidence:write`?"),
    ),
    (
        *("a time zone misspelt", "POST /v1/networks", HILL | {"time_zone": "Europe/Madird"}, {"token": "admin"}),
        *(422, "time-zone-unknown", "/time_zone", "did you mean `Europe/Madrid`?"),
    ),
    (
        *("a slug of others", "POST /v1/networks", HILL | {"name": "Other"}, {"token": "admin"}),
        *(409, "slug-taken", "/slug", "a slug that no network has"),
    ),
    (
        *("an unknown credential", f"POST /v1/credentials/{'0' * 32}/revocation", {"reason": "x"}, {}),
        *(404, "credential-unknown", None, "lists and earlier answers give it"),
    ),
    (
        *("no badge", "POST /v1/verifications", {}, {}),
        *(422, "badge-one", None, "exactly one of url, credential, jwt and image"),
    ),
    (
        *("an address of ours without a badge", "POST /v1/verifications", {"url": f"{BASE_URL}/credentials/none"}, {}),
        *(422, "address-without-badge", "/url", "take it from the page of the badge"),
    ),
    (
        *("an unknown version", "PUT ./achievements/sharer/enrolments/m11", {"version": 9}, {}),
        *(404, "version-unknown", "/version", "the achievement itself tells its newest"),
    ),
]


@pytest.fixture
def stage(runtime: Runtime, client: TestClient) -> Stage:
    """A network with what the requests above refer to."""
    stage = Stage.set_up(client, runtime)
    stage.member()
    stage.member("rosa")
    stage.achievement()
    stage.achievement("draft", publish=False)
    stage.send("PUT", "./sessions/used", STARTS)
    stage.send("POST", "./contributions", SHARED | {"ref": "there", "session": "used"})
    stage.call("POST", "./contributions", json=SHARED | {"ref": "a"}, headers={"Idempotency-Key": "k1"})
    stage.send("POST", "./contributions", SHARED | {"ref": "void", "resource": "a"})
    return stage


def test_each_says_how_to_mend_it(stage: Stage) -> None:
    """One test for all: to set the stage takes longer than all the requests."""
    voided = stage.send("GET", "./contributions/void")["id"]
    voiding = stage.send("POST", f"./records/{voided}/void", {"reason": "wrong"})["id"]
    right = stage.send("GET", "./contributions/a")["id"]
    told = {"voided": voided, "voiding": voiding, "right": right, "cursor": stage.send("GET", "./events")["last"]}
    admin = actor(stage.runtime, stage.client)
    admin.post("/v1/networks", HILL)
    tokens = {"reader": stage.token_with("read"), "admin": admin.token}
    tokens["closed"] = actor(stage.runtime, stage.client, slug="hill-readers").token
    assert admin.post("/v1/networks/hill-readers/closure").status_code == 200
    wrong = []
    for what, request, body, more, *expected in PROVOKED:
        method, _, path = request.format(**told).partition(" ")
        sent = {"content": body} if isinstance(body, bytes) else {"json": body}
        headers = {"Content-Type": "application/json"} | more.get("headers", {}) if body is not None else {}
        if more.get("token") == "":
            address = path.replace("./", f"/v1/networks/{stage.slug}/")
            answer = stage.client.request(method, address, headers=more.get("headers"))
        else:
            token = tokens.get(more.get("token", ""), more.get("token"))
            answer = stage.call(method, path, token, headers=headers, **(sent if body is not None else {}))
        said = answer.json()
        found = [answer.status_code, said.get("code"), said.get("pointer")]
        if found != expected[:3] or expected[3] not in said["detail"]:
            wrong.append((what, found, said.get("detail"), expected))
        assert said["type"] == f"/docs/errors/{said['code']}"
    assert wrong == []
    assert len(PROVOKED) >= 45
