"""Every table that refers to a person is given to them, or says why not; and no secret is given."""

import re
from itertools import chain

import pytest

from service.console.own_data import exporting, tables
from service.tables import Row

PEOPLE = {"accounts", "persons", "members"}
NAMED = re.compile(r"(^|_)(account|member|person)_id$|_who$")
GIVEN = [*chain.from_iterable((*tables.OF_ACCOUNT.values(), *tables.OF_MEMBERS.values()))]


def about_people() -> set[str]:
    """Return the tables that refer to people, or to what refers to them; or whose columns have such names."""
    every = Row.metadata.tables.values()
    found = PEOPLE | {table.name for table in every if any(NAMED.search(column.name) for column in table.columns)}
    while True:
        more = {
            table.name
            for table in every
            for column in table.columns
            for key in column.foreign_keys
            if key.column.table.name in found
        }
        if more <= found:
            # Of what was derived once there are only dates, numbers and ids, without references.
            return found | {name for name in Row.metadata.tables if name.startswith("past_")}
        found |= more


def test_every_table_about_people_is_given_or_left_out_for_a_reason() -> None:
    given = {each.name for each in GIVEN} | tables.WRITTEN_OUT.keys()
    assert given & tables.LEFT_OUT.keys() == set()
    assert about_people() - given - tables.LEFT_OUT.keys() == set()
    assert (given | tables.LEFT_OUT.keys()) - about_people() == set()
    assert all({**tables.LEFT_OUT, **tables.WRITTEN_OUT}.values())


@pytest.mark.parametrize("given", GIVEN, ids=lambda each: each.name)
def test_no_column_that_is_given_is_a_secret(given: tables.Given) -> None:
    assert [column.name for column in given.columns if tables.SECRET.search(column.name)] == []
    assert set(given.without) <= {column.name for column in given.table.columns}


def test_the_text_to_read_first_tells_of_every_file() -> None:
    assert exporting.FILES_OF_ACCOUNT.keys() == tables.OF_ACCOUNT.keys()
    folders = {"receipts/", "badges/", "files/"}
    lines = {"evidence.ndjson", "feedback.ndjson", "said-by-you.ndjson"}
    assert exporting.FILES_OF_NETWORK.keys() == tables.OF_MEMBERS.keys() | folders | lines
