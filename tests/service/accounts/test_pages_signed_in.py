"""Forms of people: of every shape, from anywhere, and where they lead."""

import pytest
from fastapi.testclient import TestClient

from service.runtime.runtime import Runtime
from tests.worlds.runtimes import BASE_URL
from tests.worlds.signing_in import CODE, mails_to, signed_in

ADDRESS, OTHER = "m11@river.example.org", "m12@river.example.org"

BODIES: list[tuple[str, bytes]] = [
    ("application/json", b'{"address": "m11@river.example.org"}'),
    ("application/x-www-form-urlencoded", b""),
    ("application/x-www-form-urlencoded", b"address=%00&onward=%00&code=%00&form=%00"),
    ("application/x-www-form-urlencoded", b"address=%ED%A0%80@x.example&code=%ED%A0%80&form=%ED%A0%80"),
    ("application/x-www-form-urlencoded", b"address=a%0d%0aBcc:%20x@y.example@z.example"),
    ("application/x-www-form-urlencoded", b"address=" + b"a" * 100_000 + b"@x.example"),
    ("application/x-www-form-urlencoded", b"&".join(b"a%d=1" % n for n in range(200))),
    ("application/x-www-form-urlencoded", b"a" * 3_000_000),
    ("application/x-www-form-urlencoded; charset=utf-7", b"address=+AGE-"),
    (
        "multipart/form-data; boundary=b",
        b'--b\r\nContent-Disposition: form-data; name="address"\r\n\r\n\xed\xa0\x80\r\n--b--\r\n',
    ),
    (
        "multipart/form-data; boundary=b",
        b'--b\r\nContent-Disposition: form-data; name="address"; filename="x"\r\n\r\nx\r\n--b--\r\n',
    ),
    ("multipart/form-data; boundary=b", b"--b\r\nbroken"),
    ("multipart/form-data", b"no boundary"),
    ("text/plain", b"address=m11@river.example.org"),
    ("", b"\xff\xfe"),
]


@pytest.mark.parametrize("path", ["/sign-in", "/sign-in/code", "/sign-in/abc", "/sign-out", "/account/name"])
@pytest.mark.any_database("nothing reaches the rows")
def test_no_form_of_whatever_shape_breaks_anything(browser: TestClient, runtime: Runtime, path: str) -> None:
    cookie = signed_in(runtime, ADDRESS)
    for media_type, body in BODIES:
        answer = browser.post(path, content=body, headers={"Content-Type": media_type, "Cookie": cookie})
        assert 400 <= answer.status_code < 500, (media_type, body[:60])
        assert answer.headers["content-type"].startswith("text/html")


def test_of_a_field_that_is_sent_twice_the_last_counts(browser: TestClient, runtime: Runtime) -> None:
    body = f"address={OTHER}&address={ADDRESS}"
    browser.post("/sign-in", content=body, headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert (len(mails_to(runtime, OTHER)), len(mails_to(runtime, ADDRESS))) == (0, 1)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 303),
        ({"Origin": "null"}, 303),
        ({"Origin": BASE_URL}, 303),
        ({"Origin": "https://elsewhere.example"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 303),
        ({"Sec-Fetch-Site": "none"}, 303),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "anything"}, 403),
    ],
)
@pytest.mark.any_database("nothing reaches the rows")
def test_a_form_comes_from_here(browser: TestClient, headers: dict[str, str], status: int) -> None:
    assert browser.post("/sign-in", data={"address": ADDRESS}, headers=headers).status_code == status


@pytest.mark.parametrize(
    "onward",
    ["//x.example", "/\\x.example", "https://x.example", "javascript:alert(1)", "/\t/x.example", "x", "", "/ä", "/a b"],
)
@pytest.mark.any_database("it is the same on both")
def test_nobody_is_led_elsewhere(browser: TestClient, runtime: Runtime, onward: str) -> None:
    browser.post("/sign-in", data={"address": ADDRESS, "onward": onward})
    code = CODE.findall(mails_to(runtime, ADDRESS)[-1])[-1]
    assert browser.post("/sign-in/code", data={"code": code}).headers["location"] in {"/", "/my-badges"}
    assert browser.get("/sign-in", params={"onward": onward}).headers["location"] in {"/", "/my-badges"}


@pytest.mark.any_database("nothing reaches the rows")
def test_a_refusal_leads_back_to_where_one_can_go_on(browser: TestClient, runtime: Runtime) -> None:
    answer = browser.post("/sign-in/code", data={"code": "123456"})
    assert answer.status_code == 404
    assert '<a class="button" href="/sign-in">Go back</a>' in answer.text
    sent = browser.post("/account/addresses/x/remove", headers={"Cookie": signed_in(runtime, ADDRESS)})
    assert sent.status_code == 403
    assert "This form is too old, or came from another site." in sent.text
