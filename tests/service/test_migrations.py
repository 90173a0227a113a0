"""Migrations go up from empty, on both databases, and make what the rows say."""

from sqlalchemy import CheckConstraint, inspect

from service import migrations
from service.database import Database
from service.tables import Row


def test_rows_and_migrations_agree(database: Database) -> None:
    migrations.check(database)


def test_migrations_keep_the_checks_that_rows_ask_for(database: Database) -> None:
    made = inspect(database.engine)
    for table in Row.metadata.sorted_tables:
        asked = {constraint.name for constraint in table.constraints if isinstance(constraint, CheckConstraint)}
        assert {check["name"] for check in made.get_check_constraints(table.name)} == asked


def test_a_migrated_database_is_current_and_stays_so(database: Database) -> None:
    assert migrations.is_current(database)
    migrations.upgrade(database)
    assert migrations.is_current(database)


def test_an_empty_database_is_not_current(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM alembic_version")
    assert not migrations.is_current(database)
