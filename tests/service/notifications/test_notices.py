"""Notices to the addresses of an account."""

import pytest

from service.accounts import accounts
from service.notifications.letters.notices import NOTICES
from service.runtime.runtime import Runtime
from service.texts.languages import LANGUAGES
from tests.worlds.runtimes import BASE_URL
from tests.worlds.signing_in import mails_to

ADDRESS = "m11@river.example.org"


@pytest.mark.any_database("it is the same on both")
@pytest.mark.parametrize("notice", NOTICES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_each_notice_says_where_and_what_to_do_and_names_nobody(runtime: Runtime, notice: str, language: str) -> None:
    with runtime.database.write() as session:
        account = accounts.with_address(session, ADDRESS, runtime.now())
        account.language, account.name = language, "Quite Secret"
        accounts.tell(session, account, notice, runtime.now())
    [mail] = mails_to(runtime, ADDRESS)
    assert BASE_URL in mail
    assert f"{BASE_URL}/account" in mail
    assert "Quite Secret" not in mail
    assert ADDRESS not in mail
    assert "%(" not in mail
