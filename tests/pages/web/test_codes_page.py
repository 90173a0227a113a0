"""The pages of codes, to which the problems of the API lead."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.pages.reading import Reader
from tests.pages.scenes import everybody_can_use


@pytest.mark.parametrize("path", ["/docs/errors", "/docs/errors/contribution-type-unknown"])
def test_everybody_can_use_it(page: Page, violations: Callable[[Page], list[Any]], path: str) -> None:
    page.goto(path)
    everybody_can_use(page, violations, path)


def test_the_list_leads_to_each_code_and_back(page: Page) -> None:
    page.goto("/docs/errors")
    page.locator("summary", has_text="Tokens").click()
    page.get_by_role("link", name="token-missing").click()
    page.get_by_role("heading", name="token-missing").wait_for()
    page.get_by_role("link", name="All codes").click()
    page.get_by_role("heading", name="What the codes of errors mean").wait_for()


@pytest.mark.parametrize("path", ["/docs/errors", "/docs/errors/method-not-allowed"])
def test_what_stands_in_backticks_is_shown_as_code(reader: Reader, path: str) -> None:
    main = reader.open(path).one("main")
    assert "`" not in main.text
    assert "Allow" in [each.text for each in main.all("dd code")]
