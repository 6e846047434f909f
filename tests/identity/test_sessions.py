"""Sessions of browsers: two cookies, what they say of themselves, and what ends them."""

import re
from pathlib import Path

import httpx
import pytest

from app.main.local.roles import Urls
from tests.identity.processes import ME, Process, bearer, comes_within, process, somebody

SESSION, REFRESH = "__Host-strongbox_session", "__Secure-strongbox_refresh"
TOKEN = r"[0-9a-f]{32}\.[A-Za-z0-9_-]{43}"


def cookies(answer: httpx.Response) -> dict[str, tuple[str, set[str]]]:
    """Each cookie's value, and what it says of itself."""
    found = {}
    for field in answer.headers.get_list("set-cookie"):
        pair, *attributes = (part.strip() for part in field.split(";"))
        name, _, value = pair.partition("=")
        found[name] = value, set(attributes)
    return found


async def logged_in(api: Process) -> tuple[httpx.AsyncClient, httpx.Response]:
    """A browser whose user has logged in, and what it was told."""
    email, browser = somebody(), api.client()
    await api.registered(email)
    answer = await browser.post("/v1/auth/login", json={"email": email, "password": "a line of a song"})
    return browser, answer


async def me(browser: httpx.AsyncClient) -> int:
    return (await browser.get(ME)).status_code


async def test_a_log_in_sets_both_cookies(api: Process) -> None:
    _, answer = await logged_in(api)
    session, refresh = (cookies(answer)[name] for name in (SESSION, REFRESH))
    assert re.fullmatch(TOKEN, session[0])
    assert session[1] == {"Max-Age=86400", "Path=/", "HttpOnly", "Secure", "SameSite=Lax"}
    assert refresh == (
        answer.json()["refresh_token"],
        {"Max-Age=2592000", "Path=/v1/auth", "HttpOnly", "Secure", "SameSite=Strict"},
    )
    assert answer.headers["cache-control"] == "no-store"


async def test_without_tls_they_go_by_other_names(module_database: Urls, superuser_url: str, tmp_path: Path) -> None:
    async with process(module_database.app_url, superuser_url, tmp_path, COOKIE_SECURE="false") as api:
        browser, answer = await logged_in(api)
        found = cookies(answer)
        assert found.keys() == {"strongbox_session", "strongbox_refresh"}
        assert not any("Secure" in attributes for _, attributes in found.values())
        assert await me(browser) == 200
        assert await me(api.client()) == 401


async def test_the_sessions_cookie_lets_in_and_a_refresh_renews_both(api: Process) -> None:
    browser, first = await logged_in(api)
    assert await me(browser) == 200
    renewed = await browser.post("/v1/auth/refresh")
    assert renewed.status_code == 200
    before, after = cookies(first), cookies(renewed)
    assert after.keys() == before.keys()
    assert not {value for value, _ in before.values()} & {value for value, _ in after.values()}
    assert await me(browser) == 200
    assert (await browser.post("/v1/auth/refresh")).status_code == 200


async def test_the_refresh_cookie_is_no_session_and_the_session_renews_nothing(api: Process) -> None:
    browser, answer = await logged_in(api)
    session, refresh = (cookies(answer)[name][0] for name in (SESSION, REFRESH))
    other = api.client()
    assert (await other.get(ME, headers={"Cookie": f"{SESSION}={refresh}"})).status_code == 401
    assert (await other.post("/v1/auth/refresh", headers={"Cookie": f"{REFRESH}={session}"})).status_code == 401
    assert (await other.get(ME, headers=bearer(session))).status_code == 401
    assert (await other.get(ME, headers=bearer(refresh))).status_code == 401
    access = answer.json()["access_token"]
    assert (await other.get(ME, headers={"Cookie": f"{SESSION}={access}"})).status_code == 401
    assert await me(browser) == 200


async def test_of_two_cookies_of_a_name_none_counts(api: Process) -> None:
    """Who can set a cookie for a neighbouring host may not log its browsers in as somebody else."""
    _, mine = await logged_in(api)
    _, theirs = await logged_in(api)
    for name, path, method in ((SESSION, ME, "GET"), (REFRESH, "/v1/auth/refresh", "POST")):
        both = f"{name}={cookies(theirs)[name][0]}; {name}={cookies(mine)[name][0]}"
        answer = await api.client().request(method, path, headers={"Cookie": both})
        assert answer.status_code == 401, name


async def test_a_log_in_never_goes_on_with_a_session_that_was_there(api: Process) -> None:
    """Fixation: what somebody else has put into the browser is not what it is let in by."""
    _, planted = await logged_in(api)
    old = cookies(planted)[SESSION][0]
    email = somebody()
    await api.registered(email)
    answer = await api.client().post(
        "/v1/auth/login", json={"email": email, "password": "a line of a song"}, headers={"Cookie": f"{SESSION}={old}"}
    )
    assert cookies(answer)[SESSION][0] != old
    with_old = await api.client().get(ME, headers={"Cookie": f"{SESSION}={old}"})
    assert with_old.json()["user"]["email"] != email


async def test_a_session_ends_when_its_time_is_over(module_database: Urls, superuser_url: str, tmp_path: Path) -> None:
    async with process(module_database.app_url, superuser_url, tmp_path, SESSION_TTL_H="0.0003") as api:
        browser, answer = await logged_in(api)
        assert "Max-Age=1" in cookies(answer)[SESSION][1]
        browser.cookies.clear()
        browser.headers["Cookie"] = f"{SESSION}={cookies(answer)[SESSION][0]}"

        async def is_over() -> bool:
            return await me(browser) == 401

        await comes_within(3, is_over)
        assert await api.knows(answer.json()["access_token"])


@pytest.mark.parametrize("by", ["cookies", "bearer", "refresh token", "refresh cookie"])
async def test_a_log_out_ends_all_that_came_of_the_log_in(api: Process, by: str) -> None:
    browser, answer = await logged_in(api)
    told = answer.json()
    other = await api.log_in(told["user"]["email"])
    request: dict[str, dict[str, str]] = {
        "cookies": {},
        "bearer": {"headers": bearer(told["access_token"])},
        "refresh token": {"json": {"refresh_token": told["refresh_token"]}},
        "refresh cookie": {"headers": {"Cookie": f"{REFRESH}={told['refresh_token']}"}},
    }[by]
    client = browser if by == "cookies" else api.client()
    ended = await client.post("/v1/auth/logout", **request)  # type: ignore[arg-type]
    assert (ended.status_code, ended.content) == (204, b"")
    assert {name: (value, "Max-Age=0" in said) for name, (value, said) in cookies(ended).items()} == {
        SESSION: ("", True),
        REFRESH: ("", True),
    }

    async def is_refused() -> bool:
        return not await api.knows(told["access_token"])

    await comes_within(1, is_refused)
    session = cookies(answer)[SESSION][0]
    assert (await api.client().get(ME, headers={"Cookie": f"{SESSION}={session}"})).status_code == 401
    assert (await api.refresh(told["refresh_token"])).status_code == 401
    assert await api.knows(other["access_token"])


async def test_a_log_out_of_nobody_clears_the_cookies(api: Process) -> None:
    for headers in ({}, {"Cookie": f"{SESSION}={'0' * 32}.x; {REFRESH}=x"}):
        answer = await api.client().post("/v1/auth/logout", headers=headers)
        assert answer.status_code == 204
        assert set(cookies(answer)) == {SESSION, REFRESH}


async def test_a_log_out_with_a_bad_token_says_so(api: Process) -> None:
    answer = await api.client().post("/v1/auth/logout", headers=bearer("x.y.z"))
    assert answer.status_code == 401


@pytest.mark.parametrize("path", ["/v1/auth/refresh", "/v1/auth/logout"])
async def test_no_other_site_renews_or_ends_a_session(api: Process, path: str) -> None:
    browser, _ = await logged_in(api)
    refused = await browser.post(path, headers={"Origin": "https://evil.example"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "ORIGIN_REFUSED")
    assert await me(browser) == 200
