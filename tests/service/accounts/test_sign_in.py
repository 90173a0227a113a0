"""Signing in by mail: who gets in at all, whatever the order of things, and how often strangers may try."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from service.accounts import accounts, joining, sign_in, sign_ins
from service.errors import CustodyError, ServiceError, TooManyRequestsError, UnauthenticatedError
from service.notifications import mail
from service.runtime.runtime import Runtime
from service.tables import Account, AccountAddress, Message, SignIn, SignInRequest
from tests.worlds.mailing import mail_server
from tests.worlds.runtimes import BASE_URL, Clock, app_of, settings_in, start
from tests.worlds.signing_in import CODE, LINK, mails_to
from tests.worlds.signing_in import sign_in as sign_in_by_mail

ADDRESS, OTHER = "m11@river.example.org", "m12@river.example.org"
NOON = datetime.fromisoformat("2026-03-02T12:00:00+00:00")


def ask(runtime: Runtime, address: str = ADDRESS, at: datetime = NOON) -> tuple[str, str, str]:
    """Have a mail sent; return the secret of the browser that asked, and link and code of the mail."""
    with runtime.database.write() as session:
        browser = sign_in.ask(session, runtime, address, language="en", onward="/", now=at)
        row = session.scalars(select(SignInRequest).order_by(SignInRequest.id.desc()).limit(1)).one()
        return browser, *sign_in.mailed(runtime, row)


def by_code(runtime: Runtime, code: str, browser: str | None, at: datetime = NOON) -> bool:
    with runtime.database.write() as session:
        return sign_in.by_code(session, runtime, code, browser, at) is not None


def by_link(runtime: Runtime, link: str, browser: str | None, at: datetime = NOON) -> bool:
    with runtime.database.write() as session:
        return bool(sign_in.by_link(session, link, browser, at))


def succeeds(tried: Callable[[], bool]) -> bool:
    try:
        return tried()
    except ServiceError:
        return False


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


@dataclass(frozen=True)
class Request:
    """A request, as a model of it: who asked, and what the mail says."""

    browser: str
    address: str
    link: str
    code: str
    at: datetime


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ask", "link", "code", "wrong code", "wait"]),
        st.integers(0, 1),  # which browser
        st.integers(0, 5),  # which mail was read
    ),
    max_size=25,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
@pytest.mark.any_database("which requests are open is judged in Python; races have tests of their own")
def test_only_who_reads_the_mail_gets_in_and_only_in_the_browser_that_asked(
    runtime: Runtime, steps: list[tuple[str, int, int]]
) -> None:
    with runtime.database.write() as session:
        for row in (SignIn, Message, SignInRequest):
            session.execute(delete(row))
    now, asked, used = NOON, list[Request](), set[str]()
    asking: list[Request | None] = [None, None]
    tries = dict[str, int]()
    for what, browser, mail_number in steps:
        mine = asking[browser]
        read = asked[mail_number % len(asked)] if asked else None
        if what == "wait":
            now += timedelta(minutes=6)
        elif what == "ask":
            address = (ADDRESS, OTHER)[mail_number % 2]
            try:
                secret, link, code = ask(runtime, address, now)
            except TooManyRequestsError:
                continue
            asked.append(Request(secret, address, link, code, now))
            asking[browser] = asked[-1]
        elif read is not None:
            browser_secret = None if mine is None else mine.browser
            is_open = read.link not in used and now < read.at + sign_in.OPEN_FOR
            if what == "link":
                expected = is_open and mine == read
                found = succeeds(partial(by_link, runtime, read.link, browser_secret, now))
                opened = read
            else:
                code = read.code if what == "code" else wrong(mine.code if mine else read.code)
                mine_open = mine is not None and mine.link not in used and now < mine.at + sign_in.OPEN_FOR
                day = sum(tries.get(each.link, 0) for each in asked if mine and each.address == mine.address)
                may = mine is not None and mine_open and tries.get(mine.link, 0) < 5 and day < sign_in.WRONG_A_DAY
                expected = may and mine is not None and code == mine.code
                if may and mine is not None and not expected:
                    tries[mine.link] = tries.get(mine.link, 0) + 1
                found = succeeds(partial(by_code, runtime, code, browser_secret, now))
                opened = mine or read
            assert found == expected, (what, browser, mail_number)
            if found:
                used.add(opened.link)


def test_a_mail_scanner_that_presses_the_button_neither_signs_in_nor_uses_up_the_link(
    browser: TestClient, other_browser: TestClient, runtime: Runtime
) -> None:
    browser.post("/sign-in", data={"address": ADDRESS})
    link = LINK.findall(mails_to(runtime, ADDRESS)[-1])[0]
    other_browser.get(f"/sign-in/{link}")
    assert other_browser.post(f"/sign-in/{link}").status_code == 409
    assert browser.post(f"/sign-in/{link}").status_code == 303


def test_nobody_is_signed_in_to_an_account_by_a_link_that_somebody_else_asked_for(
    browser: TestClient, other_browser: TestClient, runtime: Runtime
) -> None:
    other_browser.post("/sign-in", data={"address": "attacker@elsewhere.example"})
    browser.post("/sign-in", data={"address": ADDRESS})
    theirs = LINK.findall(mails_to(runtime, "attacker@elsewhere.example")[-1])[0]
    assert browser.post(f"/sign-in/{theirs}").status_code == 409
    assert "sign-in" not in browser.cookies


# --- At the same moment --------------------------------------------------------------------------------------------


def test_of_many_who_use_one_link_at_the_same_moment_one_gets_in(runtime: Runtime) -> None:
    browser, link, code = ask(runtime)
    with ThreadPoolExecutor(6) as pool:
        ways = (partial(by_link, runtime, link, browser), partial(by_code, runtime, code, browser))
        tried = [pool.submit(succeeds, ways[n % 2]) for n in range(6)]
    assert sorted(each.result() for each in tried) == [False] * 5 + [True]


def test_wrong_codes_at_the_same_moment_are_all_counted(runtime: Runtime) -> None:
    browser, _, code = ask(runtime)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: succeeds(lambda: by_code(runtime, wrong(code), browser)), range(12)))
    with pytest.raises(TooManyRequestsError) as refused:
        by_code(runtime, code, browser)
    assert refused.value.code == "code-tries"


def test_one_new_address_that_is_proved_twice_at_the_same_moment_has_one_account(runtime: Runtime) -> None:
    asked = [ask(runtime) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda each: by_link(runtime, each[1], each[0]), asked)) == [True] * 4
    with runtime.database.read() as session:
        assert len(session.scalars(select(Account)).all()) == 1
        assert len(session.scalars(select(AccountAddress)).all()) == 1


def test_two_accounts_that_are_made_one_from_both_sides_at_the_same_moment_are_one(runtime: Runtime) -> None:
    with runtime.database.write() as session:
        ids = [accounts.with_address(session, each, NOON).id for each in (ADDRESS, OTHER)]
    secrets = []
    for mine, address in zip(ids, (OTHER, ADDRESS), strict=True):
        with runtime.database.write() as session:
            account = session.get_one(Account, mine)
            secret = sign_in.ask(session, runtime, address, language="en", onward="/", now=NOON, account=account)
            secrets.append(secret)
            row = session.scalars(select(SignInRequest).where(SignInRequest.account_id == mine)).one()
            link, _ = sign_in.mailed(runtime, row)
        with runtime.database.write() as session:
            sign_in.by_link(session, link, secrets[-1], NOON, signed_in=mine)

    def join(number: int) -> bool:
        with runtime.database.write() as session:
            joining.join(session, ids[number], secrets[number], NOON)
        return True

    with ThreadPoolExecutor(4) as pool:
        tried = [pool.submit(succeeds, partial(join, n % 2)) for n in range(4)]
    assert sorted(each.result() for each in tried) == [False] * 3 + [True]
    with runtime.database.read() as reading:
        assert len(reading.scalars(select(Account)).all()) == 1
        assert sorted(reading.scalars(select(AccountAddress.kept))) == [False, True]


# --- How often -----------------------------------------------------------------------------------------------------


def test_a_stranger_has_ten_tries_a_day_at_the_codes_of_an_address_over_all_requests(runtime: Runtime) -> None:
    for _ in range(2):
        browser, _, code = ask(runtime)
        assert [by_code(runtime, wrong(code), browser) for _ in range(5)] == [False] * 5
    browser, link, code = ask(runtime)
    with pytest.raises(TooManyRequestsError) as refused:
        by_code(runtime, code, browser)
    assert refused.value.code == "codes-for-address"
    assert by_link(runtime, link, browser)
    browser, _, code = ask(runtime, at=NOON + timedelta(days=1, minutes=1))
    assert by_code(runtime, code, browser, NOON + timedelta(days=1, minutes=1))


def test_what_strangers_ask_for_keeps_nobody_out_of_a_browser_that_they_signed_in_with_before(
    browser: TestClient, other_browser: TestClient, runtime: Runtime
) -> None:
    sign_in_by_mail(browser, runtime, ADDRESS)
    asked = [other_browser.post("/sign-in", data={"address": ADDRESS}).status_code for _ in range(5)]
    assert asked == [303] * 4 + [429]
    browser.cookies.delete("sign-in")
    sign_in_by_mail(browser, runtime, ADDRESS)
    assert browser.post("/sign-in", data={"address": OTHER}).status_code == 303
    assert not sign_in.is_known(runtime, OTHER, browser.cookies["known"])


# --- Sign-ins ------------------------------------------------------------------------------------------------------


def test_signing_in_gives_a_new_secret_and_ends_what_the_browser_had_before(
    browser: TestClient, runtime: Runtime
) -> None:
    browser.cookies.set("sign-in", "planted-by-somebody-else")
    browser.post("/sign-in", data={"address": ADDRESS})
    code = CODE.findall(mails_to(runtime, ADDRESS)[-1])[-1]
    browser.post("/sign-in/code", data={"code": code})
    with runtime.database.read() as session:
        first = session.scalars(select(SignIn)).one()
        assert sign_ins.find(session, "planted-by-somebody-else", NOON) is None
    with runtime.database.write() as session:
        old = sign_ins.begin(session, session.get_one(Account, first.account_id), means="link", browser="", now=NOON)
        new = sign_ins.begin(
            session, session.get_one(Account, first.account_id), means="link", browser="", now=NOON, instead_of=old
        )
    with runtime.database.read() as session:
        assert sign_ins.find(session, old, NOON) is None
        assert sign_ins.find(session, new, NOON) is not None


def test_over_https_the_cookies_are_of_this_host_only_and_no_script_reads_them(
    runtime: Runtime, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("https")
    public = settings_in(folder, base_url="https://badges.example", database_url=runtime.settings.database_url)
    with start(public, Clock()) as served, TestClient(app_of(served), base_url="https://badges.example") as client:
        answer = client.post("/sign-in", data={"address": ADDRESS}, follow_redirects=False)
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-asking=")
    assert {"HttpOnly", "Secure", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


def test_who_is_signed_in_to_an_account_that_is_gone_is_signed_out(runtime: Runtime) -> None:
    with runtime.database.write() as session:
        account = accounts.with_address(session, ADDRESS, NOON)
        secret = sign_ins.begin(session, account, means="link", browser="", now=NOON)
    with runtime.database.read() as session:
        found = sign_ins.find(session, secret, NOON)
    assert found is not None
    with runtime.database.write() as session:
        joining.delete(session, found.account_id, NOON)
    with runtime.database.write() as session, pytest.raises(UnauthenticatedError):
        found.account(session)


# --- Mails that do not arrive --------------------------------------------------------------------------------------


@pytest.mark.any_database("it is the same on both")
def test_who_waits_for_a_mail_sees_that_the_server_is_down_or_refuses_the_address(
    database_url: str, clock: Clock, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("mailing")
    with mail_server() as box:
        given = settings_in(folder, database_url=database_url, mail_url=box.url)
        with start(given, clock) as runtime, TestClient(app_of(runtime), base_url=BASE_URL) as client:
            client.headers["Accept"] = "text/html"
            client.post("/sign-in", data={"address": ADDRESS}, follow_redirects=False)
            assert "delayed" not in client.get("/sign-in/code").text
            box.answer = "451 later"
            mail.send_due(runtime)
            clock.advance(minutes=2)
            mail.send_due(runtime)
            assert "The email is delayed" in client.get("/sign-in/code").text
            box.answer = "550 <{recipient}> is unknown"
            clock.advance(minutes=6)
            mail.send_due(runtime)
            assert "The email could not be delivered" in client.get("/sign-in/code").text
            client.cookies.clear()
            assert "could not be delivered" not in client.get("/sign-in/code").text


@pytest.mark.any_database("it is the same on both")
def test_a_custody_that_does_not_open_is_said_in_plain_words(
    browser: TestClient, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(*_: object) -> str:
        raise CustodyError("custody-unavailable", "The key folder has no passphrase.")

    monkeypatch.setattr(runtime.custody, "lock", closed)
    answer = browser.post("/sign-in", data={"address": ADDRESS})
    assert answer.status_code == 503
    assert "cannot do this at the moment" in answer.text
    assert "passphrase" not in answer.text


def test_the_page_on_privacy_names_every_cookie(browser: TestClient, runtime: Runtime) -> None:
    browser.post("/sign-in", data={"address": ADDRESS})
    given = {*browser.cookies}
    code = CODE.findall(mails_to(runtime, ADDRESS)[-1])[-1]
    browser.post("/sign-in/code", data={"code": code})
    page = browser.get("/privacy").text
    for name in given | {*browser.cookies}:
        assert f"<code>{name}</code>" in page
