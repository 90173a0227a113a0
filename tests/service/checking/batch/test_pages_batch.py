"""The page of a batch keeps what was typed, and gives up what was uploaded."""

import gc
import sys
from collections.abc import Iterator

import pytest

from service.checking.batch.pages_batch import BatchForm, refused
from service.errors import InvalidError
from service.texts.languages import ENGLISH


@pytest.fixture
def untidied() -> Iterator[None]:
    """Memory that nobody tidies meanwhile: what points at itself stays."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("untidied")
def test_a_refusal_gives_up_the_files_at_once_and_shows_what_was_typed() -> None:
    content = bytes(100)
    sent = BatchForm("https://river.example.org/credentials/a", (("large.zip", content, ""),))
    before = sys.getrefcount(sent), sys.getrefcount(content)
    page = refused(ENGLISH, InvalidError("batch-too-long", "Too long."), sent)
    assert (sys.getrefcount(sent), sys.getrefcount(content)) == before
    assert "https://river.example.org/credentials/a" in bytes(page.body).decode()
