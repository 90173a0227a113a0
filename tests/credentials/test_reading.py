"""Members of credentials in every shape that issuers give them, and in none."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials import reading

PROFILE = {"id": "did:web:school.example", "type": ["Profile"], "name": "A School"}
ACHIEVEMENT = {"id": "urn:uuid:1", "type": ["Achievement"], "name": "Sharer"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "type", "@value"]), inner),
    max_leaves=8,
)
MEMBERS = st.sampled_from(["issuer", "credentialSubject", "evidence", "validFrom", "issuanceDate", "name", "type"])


@pytest.mark.parametrize(
    ("value", "all_of_it", "objects", "texts"),
    [
        ("a", ["a"], [], ["a"]),
        ({"id": "a"}, [{"id": "a"}], [{"id": "a"}], []),
        (["a", {"id": "b"}, 5, None, ["c"]], ["a", {"id": "b"}, 5, None, ["c"]], [{"id": "b"}], ["a"]),
        ([], [], [], []),
        (None, [None], [], []),
        (True, [True], [], []),
    ],
)
def test_one_value_is_read_as_a_list_of_one(value: Any, all_of_it: list[Any], objects: list[Any], texts: Any) -> None:
    assert (reading.listed(value), reading.objects(value), reading.texts(value)) == (all_of_it, objects, texts)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("Sharer", "Sharer"),
        (["Sharer"], "Sharer"),
        ({"@value": "Sharer", "@language": "en"}, "Sharer"),
        ([{"@value": "Compartir", "@language": "es", "@direction": "ltr"}], "Compartir"),
        ([{"@value": 5}, "Sharer"], ""),
        (["Sharer", {"@value": "Compartir", "@language": "es"}], ""),
        (["Sharer", "Taker"], ""),
        ({"@value": ["Sharer"]}, ""),
        ({"name": "Sharer"}, ""),
        ([["Sharer"]], ""),
        (5, ""),
        (None, ""),
    ],
)
def test_a_text_is_read_with_or_without_its_language_and_none_of_several(value: Any, told: str) -> None:
    assert reading.only_text(value) == told


@pytest.mark.parametrize("value", [{"id": "a"}, [{"id": "a"}]])
def test_an_object_is_read_alone_or_in_a_list(value: Any) -> None:
    assert reading.only_object(value) == {"id": "a"}


@pytest.mark.parametrize(
    "value", [None, "a", [], ["a"], 5, [{"id": "a"}, {"id": "b"}], [{"id": "a"}, "b"], [[{"id": "a"}]]]
)
def test_of_several_values_none_is_taken(value: Any) -> None:
    assert reading.only_object(value) == {}


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"type": "Profile"}, True),
        ({"type": ["Other", "Profile"]}, True),
        ({"type": [["Profile"], {"Profile": 1}, 5]}, False),
        ({"type": {"Profile": 1}}, False),
        ({}, False),
        ("Profile", False),
        (None, False),
    ],
)
def test_a_type_is_one_of_one_or_several(value: Any, found: object) -> None:
    assert reading.is_a(value, "Profile") is found


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("did:web:a", "did:web:a"),
        ({"id": "did:web:a"}, "did:web:a"),
        ({"id": ""}, None),
        ("", None),
        ({"id": ["did:web:a"]}, None),
        ({"id": {"id": "did:web:a"}}, None),
        (["did:web:a"], None),
        ({}, None),
        (5, None),
        (None, None),
    ],
)
def test_an_id_stands_alone_or_in_an_object(value: Any, found: str | None) -> None:
    assert reading.id_of(value) == found


@pytest.mark.parametrize(
    ("named", "profile"),
    [(PROFILE, PROFILE), ([PROFILE], PROFILE), ("did:web:a", {"id": "did:web:a"}), ([PROFILE, PROFILE], {}), (7, {})],
)
def test_an_issuer_is_a_profile_or_an_id(named: Any, profile: Any) -> None:
    assert reading.issuer({"issuer": named}) == profile


@pytest.mark.parametrize("subject", [{"achievement": ACHIEVEMENT}, [{"achievement": [ACHIEVEMENT]}]])
def test_the_achievement_of_the_one_subject_is_read(subject: Any) -> None:
    assert reading.achievement({"credentialSubject": subject}) == ACHIEVEMENT


@pytest.mark.parametrize("subject", [{}, "a", None, [{"achievement": ACHIEVEMENT}] * 2, {"achievement": "urn:uuid:1"}])
def test_there_is_no_achievement_of_several_subjects_or_of_an_id_alone(subject: Any) -> None:
    assert reading.achievement({"credentialSubject": subject}) == {}


@pytest.mark.parametrize(
    ("value", "found"), [({"id": "a"}, [{"id": "a"}]), ([{"id": "a"}, "b"], [{"id": "a"}]), ("a", []), (None, [])]
)
def test_evidence_is_one_item_or_several(value: Any, found: Any) -> None:
    assert reading.evidence({"evidence": value}) == found


@pytest.mark.parametrize(
    ("credential", "found"),
    [
        ({"validFrom": "2026-03-01T00:00:00Z"}, datetime(2026, 3, 1, tzinfo=UTC)),
        ({"issuanceDate": "2026-03-01T00:00:00Z"}, datetime(2026, 3, 1, tzinfo=UTC)),
        (
            {"validFrom": "2026-03-01T00:00:00Z", "issuanceDate": "2026-02-01T00:00:00Z"},
            datetime(2026, 3, 1, tzinfo=UTC),
        ),
        ({"validFrom": "soon", "issuanceDate": "2026-02-01T00:00:00Z"}, None),
        ({}, None),
    ],
)
def test_both_versions_say_from_when_on_they_count(credential: Any, found: datetime | None) -> None:
    assert reading.begins(credential) == found


@given(st.dictionaries(MEMBERS, JSON))
def test_nothing_raises_whatever_the_shape(credential: dict[str, Any]) -> None:
    objects = (reading.issuer(credential), reading.achievement(credential), *reading.evidence(credential))
    assert all(isinstance(found, dict) for found in objects)
    assert isinstance(reading.only_text(credential.get("name")), str)
    assert isinstance(reading.begins(credential), datetime | None)
