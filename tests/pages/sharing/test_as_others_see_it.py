"""What the person to whom a badge was issued is shown of what others see."""

import pytest
from fastapi import Response

from service.sharing import pages
from service.sharing.views import Visibility
from service.tables import Credential
from service.texts.languages import ENGLISH
from tests.pages.conftest import Live
from tests.pages.reading import read
from tests.pages.scenes import badge, stage_of

SEEN = "This badge is genuine and valid"


def seen(live: Live, url: str, visibility: Visibility) -> Response:
    return pages.as_others_see_it(live.desk, live.runtime.now(), ENGLISH, url.rpartition("/")[2], visibility)


def text(page: Response) -> str:
    return read(bytes(page.body).decode().removeprefix("<!doctype html>")).one("main").text


@pytest.mark.parametrize("present", ["public", "private"])
def test_it_is_the_page_that_others_would_get_whatever_the_badge_is_now(live: Live, present: str) -> None:
    stage = stage_of(live)
    url = badge(stage)
    own = text(Response(stage.client.get(url, headers={"Accept": "text/html"}).text))
    with live.runtime.database.write() as session:
        session.get_one(Credential, url.rpartition("/")[2]).visibility = present
    assert text(seen(live, url, "unlisted")) == own
    assert SEEN in own
    none = seen(live, url, "private")
    assert (none.status_code, SEEN in text(none)) == (404, False)


def test_it_is_kept_by_nobody(live: Live) -> None:
    page = seen(live, badge(stage_of(live)), "public")
    assert (page.headers["cache-control"], page.headers["x-robots-tag"]) == ("no-store", "noindex")
