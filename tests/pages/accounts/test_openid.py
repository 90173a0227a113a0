"""Signing in with an OpenID provider in a browser: there by a page that goes on by itself, and back."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.pages.conftest import serving
from tests.pages.scenes import everybody_can_use
from tests.worlds.openid_providers import CLIENT, SECRET, openid_provider
from tests.worlds.runtimes import Clock
from tests.worlds.signing_in import signed_in


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_somebody_is_led_to_the_provider_and_back_to_where_they_wanted_to_go(
    browser: Browser, tmp_path: Path, scripts: bool
) -> None:
    with openid_provider(Clock()) as provider:
        given: dict[str, Any] = {
            "openid_issuer": provider.url,
            "openid_client_id": CLIENT,
            "openid_client_secret": SECRET,
        }
        with (
            serving(tmp_path, openid_name="River School", **given) as live,
            closing(browser.new_context(base_url=live.base_url, java_script_enabled=scripts)) as context,
        ):
            provider.service = live.base_url
            page = context.new_page()
            page.goto("/sign-in?onward=/account/passkeys")
            page.get_by_role("button", name="Sign in with River School").click()
            expect(page.get_by_role("heading", name="Passkeys")).to_be_visible()
            assert page.url == f"{live.base_url}/account/passkeys"
            assert provider.asked[-1] == "/keys"


def test_everybody_can_link_their_account_and_remove_the_link(
    browser: Browser, tmp_path: Path, violations: Callable[[Page], list[Any]]
) -> None:
    with openid_provider(Clock()) as provider:
        given: dict[str, Any] = {
            "openid_issuer": provider.url,
            "openid_client_id": CLIENT,
            "openid_client_secret": SECRET,
        }
        with (
            serving(tmp_path, openid_name="River School", **given) as live,
            closing(browser.new_context(base_url=live.base_url)) as context,
        ):
            provider.service, page = live.base_url, context.new_page()
            name, _, value = signed_in(live.runtime, "m12@home.example").partition("=")
            context.add_cookies([{"name": name, "value": value, "url": live.base_url}])
            page.goto("/account")
            everybody_can_use(page, violations, "not linked")
            page.get_by_role("button", name="Link with River School").click()
            expect(page.get_by_role("status")).to_contain_text("You can now sign in this way too.")
            everybody_can_use(page, violations, "linked")
            page.get_by_role("button", name="Remove the link to River School").click()
            expect(page.get_by_role("status")).to_contain_text("The link was removed.")
