"""The one form of an address."""

import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

from service.accounts.addresses import normal, read
from service.runtime.runtime import Runtime
from tests.worlds.signing_in import mails_to


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("M11@River.Example.ORG", "m11@river.example.org"),
        ("m11@xn--bcher-kva.example", "m11@bücher.example"),
        ("m11@BÜCHER.example", "m11@bücher.example"),
        ("m11@bu\u0308cher.example", "m11@bücher.example"),
        ("m11@straße.example", "m11@straße.example"),
        ("m11@xn--example-.org", "m11@xn--example-.org"),  # a label that would be read as plain "example"
        ("m11@xn--999999999.org", "m11@xn--999999999.org"),
    ],
)
def test_one_mailbox_has_one_form(typed: str, kept: str) -> None:
    assert normal(typed) == kept
    assert normal(kept) == kept


@settings(max_examples=100)
@given(st.emails(), st.text(max_size=20))
@pytest.mark.any_database("it needs none")
def test_the_form_of_an_address_is_its_own_form(address: str, label: str) -> None:
    for each in (address, f"{address}.{label}", f"x@xn--{label}.org"):
        assert normal(normal(each)) == normal(each)


def test_a_mail_goes_to_the_address_as_it_is_kept_and_not_as_it_was_typed(
    browser: TestClient, runtime: Runtime
) -> None:
    browser.post("/sign-in", data={"address": "m11@\u212aiver.example.org"})  # the sign of kelvin, which is no k
    assert len(mails_to(runtime, "m11@kiver.example.org")) == 1


@pytest.mark.parametrize(
    "typed", ["", "x", "a@b", "m11@river.example.org\x00", "\ufffd@x.example", "m\u202e11@x.example", "a b@x.example"]
)
def test_what_is_no_address_is_not_read_as_one(typed: str) -> None:
    assert read(typed) is None
