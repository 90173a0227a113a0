"""Members: persons under a network's own ref, with roles that have dates."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from service.runtime.runtime import Runtime
from service.tables import Identity, Member, Person
from tests.worlds.acting import HILL, Actor, actor, all_pages, refused, told
from tests.worlds.posting import alone
from tests.worlds.runtimes import Clock

MEMBERS = "/v1/networks/river-writers/members"
DID = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
OTHER_DID = "did:web:m12.example.org"


@pytest.fixture
def river(runtime: Runtime, client: TestClient) -> Actor:
    return alone(runtime, client)


def person_of(runtime: Runtime, ref: str) -> Any:
    with runtime.database.read() as session:
        return session.scalars(select(Member.person_id).where(Member.ref == ref)).one()


def counted(runtime: Runtime, row: type[Person] | type[Identity]) -> int:
    with runtime.database.read() as session:
        return session.scalar(select(func.count()).select_from(row)) or 0


def test_a_member_is_added_and_shown_as_stored(river: Actor) -> None:
    posted = {
        "name": "Member 11",
        "email": "Mem.Ber@Example.ORG",
        "did": DID,
        "organization": "Lincoln School",
        "roles": [
            "facilitator",
            {"role": "assessor", "from": "2026-01-01T01:00:00+01:00", "until": "2027-01-01T00:00:00Z"},
        ],
    }
    answer = river.put(f"{MEMBERS}/m11", posted)
    assert answer.status_code == 201
    shown = answer.json()
    assert shown.pop("id")
    assert shown == {
        "ref": "m11",
        "name": "Member 11",
        "email": "mem.ber@example.org",
        "did": DID,
        "organization": "Lincoln School",
        "roles": [
            {"role": "assessor", "from": "2026-01-01T00:00:00Z", "until": "2027-01-01T00:00:00Z"},
            {"role": "facilitator", "from": "2026-03-02T12:00:00Z"},
        ],
        "enrolled_at": "2026-03-02T12:00:00Z",
    }
    assert river.get(f"{MEMBERS}/m11").json() == answer.json()


def test_a_member_needs_nothing_but_a_ref(runtime: Runtime, river: Actor) -> None:
    answer = river.post(MEMBERS, {"ref": "m11"})
    assert answer.status_code == 201
    assert answer.json().keys() == {"id", "ref", "roles", "enrolled_at"}
    assert person_of(runtime, "m11") is None
    assert river.put(f"{MEMBERS}/m11", {}).json() == answer.json()


def test_posting_again_changes_what_is_sent_and_keeps_the_rest(runtime: Runtime, river: Actor) -> None:
    river.put(f"{MEMBERS}/m11", {"name": "Member 11", "email": "m11@example.org", "organization": "Lincoln"})
    again = river.put(f"{MEMBERS}/m11", {"ref": "m11", "name": "Member 11", "organization": None})
    assert again.status_code == 200
    assert (again.json()["name"], again.json()["email"], "organization" in again.json()) == (
        "Member 11",
        "m11@example.org",
        False,
    )
    assert told(runtime) == ["network.created", "member.posted", "member.changed"]
    river.put(f"{MEMBERS}/m11", {"name": "Member 11", "email": "M11@example.org", "roles": []})
    assert told(runtime) == ["network.created", "member.posted", "member.changed"]


def test_null_takes_away(runtime: Runtime, river: Actor) -> None:
    river.put(f"{MEMBERS}/m11", {"name": "Member 11", "email": "m11@example.org", "did": DID})
    shown = river.put(f"{MEMBERS}/m11", {"name": None, "email": None, "did": None}).json()
    assert shown.keys() == {"id", "ref", "roles", "enrolled_at"}
    assert counted(runtime, Identity) == 0


@pytest.mark.any_database("a body is judged in the code; the rows are only looked up")
@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"email": "m11"}, "email-invalid", "/email"),
        ({"email": "m11@example"}, "email-invalid", "/email"),
        ({"email": "m11@example.org\nBcc: all@example.org"}, "email-invalid", "/email"),
        ({"email": "a@b@example.org"}, "email-invalid", "/email"),
        ({"email": "Member 11 <m11@example.org>"}, "email-invalid", "/email"),
        ({"email": f"{'a' * 250}@example.org"}, "email-invalid", "/email"),
        ({"email": 7}, "string-type", "/email"),
        ({"did": "z6Mk"}, "did-invalid", "/did"),
        ({"did": "did:key:"}, "did-invalid", "/did"),
        ({"did": "did:key:z6Mk#z6Mk"}, "did-invalid", "/did"),
        ({"did": "did:web:a b"}, "did-invalid", "/did"),
        ({"name": "Member 11\u2028Surname"}, "line-invalid", "/name"),
        ({"name": "a" * 201}, "string-too-long", "/name"),
        ({"organization": ""}, "string-too-short", "/organization"),
        ({"nick": "A"}, "extra-forbidden", "/nick"),
        ({"roles": "facilitator"}, "list-type", "/roles"),
        ({"roles": ["Facilitator!"]}, "string-pattern-mismatch", "/roles/0/role"),
        ({"roles": [7]}, "model-attributes-type", "/roles/0"),
        (
            {"roles": [{"role": "assessor", "since": "2026-01-01T00:00:00Z"}]},
            "extra-forbidden",
            "/roles/0/since",
        ),
        ({"roles": [{"role": "assessor", "from": "2026-01-01"}]}, "instant-invalid", "/roles/0/from"),
        (
            {"roles": [{"role": "assessor", "from": "2026-01-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"}]},
            "role-ends-before-start",
            "/roles/0",
        ),
    ],
)
def test_a_member_that_is_not_well_described_is_refused(
    river: Actor, body: dict[str, Any], code: str, pointer: str
) -> None:
    answer = river.put(f"{MEMBERS}/m11", body)
    assert refused(answer) == (422, code, pointer)
    assert "z6Mk#z6Mk" not in answer.text
    assert refused(river.get(f"{MEMBERS}/m11")) == (404, "member-unknown", None)


@pytest.mark.any_database("a body is judged in the code; the rows are only looked up")
@pytest.mark.parametrize(
    ("ref", "code"),
    [
        ("", "string-too-short"),
        (" m11", "ref-invalid"),
        ("a/b", "ref-invalid"),
        ("..", "ref-invalid"),
        ("an\na", "ref-invalid"),
        ("a" * 201, "string-too-long"),
    ],
)
def test_a_ref_stands_in_a_path(river: Actor, ref: str, code: str) -> None:
    assert refused(river.post(MEMBERS, {"ref": ref})) == (422, code, "/ref")


def test_a_ref_may_be_an_address(river: Actor) -> None:
    assert river.put(f"{MEMBERS}/m11%40example.org", {}).json()["ref"] == "m11@example.org"
    assert river.get(f"{MEMBERS}/m11%40example.org").json()["ref"] == "m11@example.org"


def test_the_ref_of_the_path_counts(river: Actor) -> None:
    assert refused(river.put(f"{MEMBERS}/m11", {"ref": "m12"})) == (422, "ref-differs", "/ref")


def test_one_human_under_two_refs_is_one_person(runtime: Runtime, river: Actor) -> None:
    river.put(f"{MEMBERS}/m11", {"name": "Member 11", "email": "m11@example.org"})
    second = river.put(f"{MEMBERS}/m11-2", {"email": "M11@example.org", "did": DID}).json()
    assert person_of(runtime, "m11") == person_of(runtime, "m11-2")
    assert ("name" in second, second["did"]) == (False, DID)
    assert river.put(f"{MEMBERS}/m11-3", {"did": DID}).json()["email"] == "m11@example.org"
    assert counted(runtime, Person) == 1


def test_two_with_one_address_at_the_same_moment_are_one_person(runtime: Runtime, river: Actor) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda n: river.put(f"{MEMBERS}/m11-{n}", {"email": "m11@example.org"}), range(4)))
    assert [answer.status_code for answer in answers] == [201] * 4
    assert len({person_of(runtime, f"m11-{n}") for n in range(4)}) == 1


def test_one_member_posted_twice_at_the_same_moment_is_one(runtime: Runtime, river: Actor) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(lambda _: river.put(f"{MEMBERS}/m11", {"name": "Member 11", "roles": ["assessor"]}), range(4))
        )
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert len(river.get(f"{MEMBERS}/m11").json()["roles"]) == 1
    assert told(runtime).count("member.posted") == 1


def test_a_person_is_never_found_across_networks(runtime: Runtime, client: TestClient, river: Actor) -> None:
    actor(runtime, client).post("/v1/networks", HILL)
    hill = actor(runtime, client, slug="hill-readers")
    river.put(f"{MEMBERS}/m11", {"name": "Member 11", "email": "m11@example.org"})
    theirs = hill.put("/v1/networks/hill-readers/members/a1", {"email": "m11@example.org"}).json()
    assert "name" not in theirs
    assert person_of(runtime, "m11") != person_of(runtime, "a1")


def test_a_corrected_address_stays_with_the_person(runtime: Runtime, river: Actor) -> None:
    river.put(f"{MEMBERS}/m11", {"email": "m11@example.org"})
    before = person_of(runtime, "m11")
    river.put(f"{MEMBERS}/m11", {"email": "mem.ber@example.org"})
    assert person_of(runtime, "m11") == before
    assert counted(runtime, Identity) == 1


def test_a_member_who_turns_out_to_be_another_person_becomes_that_one(runtime: Runtime, river: Actor) -> None:
    river.put(f"{MEMBERS}/m11", {"name": "Member 11", "email": "m11@example.org"})
    river.put(f"{MEMBERS}/a2", {"name": "A.", "email": "a2@example.org"})
    assert river.put(f"{MEMBERS}/a2", {"email": "m11@example.org"}).json()["name"] == "A."
    assert person_of(runtime, "m11") == person_of(runtime, "a2")
    assert (counted(runtime, Person), counted(runtime, Identity)) == (1, 1)


def test_two_who_shared_an_address_part_when_one_gets_another(runtime: Runtime, river: Actor) -> None:
    river.put(f"{MEMBERS}/m11", {"name": "Member 11", "email": "school@example.org"})
    river.put(f"{MEMBERS}/m12", {"email": "school@example.org"})
    assert river.put(f"{MEMBERS}/m12", {"name": "Member 12", "email": "m12@example.org"}).json()["name"] == "Member 12"
    m11 = river.get(f"{MEMBERS}/m11").json()
    assert (m11["name"], m11["email"]) == ("Member 11", "school@example.org")
    assert person_of(runtime, "m11") != person_of(runtime, "m12")


def test_two_who_share_a_did_stay_one_person_under_a_new_address(runtime: Runtime, river: Actor) -> None:
    river.put(f"{MEMBERS}/m11", {"email": "m11@example.org", "did": DID})
    river.put(f"{MEMBERS}/a2", {"did": DID})
    river.put(f"{MEMBERS}/a2", {"email": "new@example.org"})
    assert person_of(runtime, "m11") == person_of(runtime, "a2")
    assert river.get(f"{MEMBERS}/m11").json()["email"] == "new@example.org"


@pytest.mark.parametrize(
    ("ref", "body", "pointer"),
    [
        ("new", {"email": "m11@example.org", "did": OTHER_DID}, "/did"),
        ("m11", {"did": OTHER_DID}, "/did"),
        ("m12", {"email": "m11@example.org"}, "/email"),
    ],
)
def test_an_address_and_a_did_of_two_persons_are_refused(
    runtime: Runtime, river: Actor, ref: str, body: dict[str, Any], pointer: str
) -> None:
    river.put(f"{MEMBERS}/m11", {"email": "m11@example.org"})
    river.put(f"{MEMBERS}/m12", {"did": OTHER_DID})
    assert refused(river.put(f"{MEMBERS}/{ref}", body)) == (409, "identity-conflict", pointer)
    assert (counted(runtime, Person), counted(runtime, Identity)) == (2, 2)


def test_a_patch_changes_what_it_names_and_takes_away_what_is_null(runtime: Runtime, river: Actor) -> None:
    river.put(f"{MEMBERS}/m11", {"name": "Member 11", "email": "m11@example.org", "organization": "Lincoln"})
    patched = river.patch(f"{MEMBERS}/m11", {"organization": None, "email": "new@example.org"})
    assert patched.status_code == 200
    assert (patched.json()["name"], patched.json()["email"]) == ("Member 11", "new@example.org")
    assert "organization" not in patched.json()
    assert river.get(f"{MEMBERS}/m11").json() == patched.json()
    assert told(runtime) == ["network.created", "member.posted", "member.changed"]


def test_a_patch_is_taken_under_its_own_media_type_too(river: Actor) -> None:
    river.put(f"{MEMBERS}/m11", {"name": "Member 11"})
    headers = {"Content-Type": "application/merge-patch+json"}
    assert river.patch(f"{MEMBERS}/m11", {"name": "A."}, headers=headers).json()["name"] == "A."


def test_a_patch_adds_nobody_and_says_nothing_unknown(river: Actor) -> None:
    assert refused(river.patch(f"{MEMBERS}/m11", {"name": "A."})) == (404, "member-unknown", None)
    river.put(f"{MEMBERS}/m11", {})
    assert refused(river.patch(f"{MEMBERS}/m11", {"nick": "A."})) == (422, "extra-forbidden", "/nick")
    assert refused(river.patch(f"{MEMBERS}/m11", {"ref": "m12"})) == (422, "ref-differs", "/ref")


def test_a_role_by_patch_is_a_role_by_put(river: Actor, clock: Clock) -> None:
    roles_after(river, ["facilitator"])
    clock.advance(days=1)
    assert river.patch(f"{MEMBERS}/m11", {"roles": None}).json()["roles"] == [
        {"role": "facilitator", "from": "2026-03-02T12:00:00Z", "until": "2026-03-03T12:00:00Z"}
    ]


def roles_after(river: Actor, *posted: Any) -> list[Any]:
    for roles in posted:
        answer = river.put(f"{MEMBERS}/m11", {"roles": roles})
        assert answer.status_code in {200, 201}, answer.text
    shown: list[Any] = river.get(f"{MEMBERS}/m11").json()["roles"]
    return shown


def test_a_role_left_out_ends_now_and_stays_on_record(river: Actor, clock: Clock) -> None:
    roles_after(river, ["facilitator", "assessor"])
    clock.advance(days=1)
    assert roles_after(river, ["assessor"]) == [
        {"role": "assessor", "from": "2026-03-02T12:00:00Z"},
        {"role": "facilitator", "from": "2026-03-02T12:00:00Z", "until": "2026-03-03T12:00:00Z"},
    ]
    clock.advance(days=1)
    assert roles_after(river, ["facilitator"]) == [
        {"role": "assessor", "from": "2026-03-02T12:00:00Z", "until": "2026-03-04T12:00:00Z"},
        {"role": "facilitator", "from": "2026-03-02T12:00:00Z", "until": "2026-03-03T12:00:00Z"},
        {"role": "facilitator", "from": "2026-03-04T12:00:00Z"},
    ]
    clock.advance(days=1)
    river.put(f"{MEMBERS}/m11", {"name": "Member 11"})
    assert "until" not in river.get(f"{MEMBERS}/m11").json()["roles"][2]


def test_dates_that_overlap_correct_the_record(river: Actor, clock: Clock) -> None:
    roles_after(river, ["facilitator"])
    clock.advance(days=1)
    dated = [{"role": "facilitator", "from": "2025-09-01T00:00:00Z", "until": "2026-07-01T00:00:00Z"}]
    assert roles_after(river, dated) == dated
    assert roles_after(river, ["facilitator"]) == [{"role": "facilitator", "from": "2025-09-01T00:00:00Z"}]
    two_years = [
        {"role": "facilitator", "from": "2024-09-01T00:00:00Z", "until": "2025-07-01T00:00:00Z"},
        {"role": "facilitator", "from": "2025-09-01T00:00:00Z", "until": "2026-07-01T00:00:00Z"},
    ]
    assert roles_after(river, two_years) == two_years
    assert roles_after(river, [{"role": "facilitator", "from": "2024-09-01T00:00:00Z"}]) == [
        {"role": "facilitator", "from": "2024-09-01T00:00:00Z"}
    ]


def test_a_role_that_has_not_begun_and_is_left_out_never_was(river: Actor) -> None:
    assert roles_after(river, [{"role": "approver", "from": "2026-09-01T00:00:00Z"}], []) == []


@pytest.mark.any_database("a body is judged in the code; the rows are only looked up")
@pytest.mark.parametrize(
    ("roles", "code", "pointer"),
    [
        (["assessor", "assessor"], "roles-overlap", "/roles/1"),
        (["assessor", {"role": "assessor", "from": "2026-03-03T00:00:00Z"}], "roles-overlap", "/roles/1"),
        ([{"role": "assessor", "until": "2026-03-01T00:00:00Z"}], "role-ends-before-start", "/roles/0/until"),
    ],
)
def test_roles_that_contradict_each_other_are_refused(river: Actor, roles: list[Any], code: str, pointer: str) -> None:
    assert refused(river.put(f"{MEMBERS}/m11", {"roles": roles})) == (422, code, pointer)


def test_members_are_listed_in_pages_and_filtered(river: Actor, clock: Clock) -> None:
    for n in range(5):
        body = {"roles": ["assessor"] if n % 2 else [], "organization": f"School {n % 2}", "email": f"m{n}@example.org"}
        river.put(f"{MEMBERS}/m{n}", body)
    listed = all_pages(river, MEMBERS)
    assert [member["ref"] for member in listed] == ["m0", "m1", "m2", "m3", "m4"]
    assert listed[1] == river.get(f"{MEMBERS}/m1").json()
    assert [member["ref"] for member in all_pages(river, MEMBERS, role="assessor")] == ["m1", "m3"]
    assert [member["ref"] for member in all_pages(river, MEMBERS, organization="School 0")] == ["m0", "m2", "m4"]
    clock.advance(days=1)
    river.put(f"{MEMBERS}/m1", {"roles": []})
    assert [member["ref"] for member in all_pages(river, MEMBERS, role="assessor")] == ["m3"]


def test_another_networks_members_are_not_there(runtime: Runtime, client: TestClient, river: Actor) -> None:
    actor(runtime, client).post("/v1/networks", HILL)
    river.put(f"{MEMBERS}/m11", {"name": "Member 11"})
    hill = actor(runtime, client, slug="hill-readers")
    for answer in (
        hill.get(MEMBERS),
        hill.get(f"{MEMBERS}/m11"),
        hill.put(f"{MEMBERS}/m11", {}),
        hill.post(MEMBERS, {"ref": "m11"}),
        actor(runtime, client).get(MEMBERS),
    ):
        assert refused(answer)[0] in {403, 404}
    assert refused(hill.get(f"{MEMBERS}/m11")) == (404, "network-unknown", None)
    assert refused(hill.get("/v1/networks/hill-readers/members/m11")) == (404, "member-unknown", None)


def test_reading_and_writing_members_are_two_scopes(runtime: Runtime, client: TestClient, river: Actor) -> None:
    assert river.put(f"{MEMBERS}/m11", {}).status_code == 201
    reader = actor(runtime, client, slug="river-writers", scopes=["read"])
    writer = actor(runtime, client, slug="river-writers", scopes=["members:write"])
    assert refused(reader.put(f"{MEMBERS}/m11", {})) == (403, "scope-missing", None)
    assert refused(writer.get(f"{MEMBERS}/m11")) == (403, "scope-missing", None)
    assert reader.get(f"{MEMBERS}/m11").status_code == writer.put(f"{MEMBERS}/m11", {}).status_code == 200


def test_a_name_is_kept_nowhere_but_with_the_member(runtime: Runtime, river: Actor) -> None:
    """Not with the answer kept for a retry, not in events."""
    headers = {"Idempotency-Key": "k"}
    body = {"name": "Member Secretname", "email": "secret@example.org"}
    first = river.put(f"{MEMBERS}/m11", body, headers=headers)
    again = river.put(f"{MEMBERS}/m11", body, headers=headers)
    assert first.json() == again.json()
    with runtime.database.read() as session:
        for table in Member.metadata.sorted_tables:
            if table.name in {"members", "identities"}:
                continue
            for row in session.execute(table.select()):
                assert "secret" not in repr(row).lower(), table.name


def test_the_tag_of_what_a_token_sees_says_nothing_of_addresses_that_it_does_not(
    runtime: Runtime, client: TestClient, river: Actor
) -> None:
    path = f"{MEMBERS}/m11"
    basic = actor(runtime, client, slug="river-writers", scopes=["read:basic", "members:write"])
    tag = river.put(path, {"name": "Ana", "email": "ana@example.org"}).headers["etag"]
    seen = basic.get(path).headers["etag"]
    assert seen != tag
    changed = river.put(path, {"email": "other@example.org", "did": DID}).headers["etag"]
    assert changed != tag
    assert basic.ask("GET", path, headers={"If-None-Match": seen}).status_code == 304
    assert basic.get(path).headers["etag"] == seen, "a tag of all would let addresses be guessed"
    for other in (tag, changed):
        assert refused(basic.patch(path, {"name": "A."}, headers={"If-Match": other})) == (
            412,
            "precondition-failed",
            None,
        )
    written = basic.patch(path, {"name": "Ana R."}, headers={"If-Match": seen})
    assert (written.status_code, written.headers["etag"]) == (200, basic.get(path).headers["etag"])
    assert river.get(path).json()["email"] == "other@example.org"
