"""The drawer of a person who has collected badges of many issuers for ten years and more: what a check says of each."""

import pytest

from credentials.reading import only_object
from service.checking import check as checking
from service.checking import wording
from service.checking.desk import Desk
from service.runtime.runtime import Runtime
from service.texts.languages import ENGLISH, SPANISH
from service.unpacking.unpack import open_file
from tests.credentials.older_badges import MAIL, Site
from tests.service.checking.ten_years import NAME, TEN_YEARS
from tests.worlds.handed_over import attached, pdf, zipped
from tests.worlds.runtimes import desk_of

READ = [kind for kind in TEN_YEARS if "SD-JWT" not in kind]


@pytest.fixture
def desk(without_rows: Runtime) -> Desk:
    return desk_of(without_rows)


@pytest.mark.parametrize("kind", TEN_YEARS)
def test_each_has_its_headline_and_none_is_refused(desk: Desk, kind: str) -> None:
    headline, make = TEN_YEARS[kind]
    at = Site()
    checked = checking.check(desk, make(at), documents=at.load)
    assert (checked.headline, checked.tone) == (headline, "unsure")
    for language in (ENGLISH, SPANISH):
        title, sentence = wording.headline(checked, language)
        assert title
        assert sentence.endswith(".")


@pytest.mark.parametrize("kind", READ)
def test_each_is_found_in_a_file_and_in_a_zip_or_pdf_with_it(kind: str) -> None:
    made = TEN_YEARS[kind][1](Site())
    content = made if isinstance(made, bytes) else made.encode()
    for file in (content, zipped({"mine/badge": content}), pdf(attached("badge", content))):
        (opened,) = open_file("file", file)
        assert opened.received in {made, content}


@pytest.mark.parametrize("kind", READ)
def test_each_says_what_it_stands_for_and_to_whom_it_was_given(desk: Desk, kind: str) -> None:
    _, make = TEN_YEARS[kind]
    at = Site()
    checked = checking.check(desk, make(at), MAIL, documents=at.load)
    achievement = only_object(only_object(checked.report.readable["credentialSubject"])["achievement"])
    assert (achievement["name"], checked.outcome("recipient")) == (NAME, "passed")
    assert checked.issuer is not None
    other = checking.check(desk, make(at), "somebody@else.example", documents=at.load)
    assert other.outcome("recipient") == "failed"
