"""The front door of a real API: tokens and cookies, pages, proxies, limits, and lines that name nobody."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from app.main.local.roles import Urls
from tests.system.e2e.house import House, body, wait_until

PAGES = "https://pages.example"
PERSON = {"email": "ada@example.org", "password": "a long enough passphrase"}
CLIENT = "198.51.100.7"
NOWHERE = "amqp://127.0.0.1:1/"
BURST = 30


@pytest.fixture(scope="module")
def house(module_database: Urls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """An API alone, behind a proxy of this machine."""
    house = House(
        module_database,
        NOWHERE,
        tmp_path_factory.mktemp("door"),
        CORS_ORIGINS=PAGES,
        TRUSTED_PROXIES="127.0.0.0/8",
        RATE_LIMIT_IP=f"0.01:{BURST}",
    )
    try:
        house.start_api()
        with client(house) as somebody:
            body(somebody.post("/v1/auth/register", json=PERSON), 201)
        yield house
        assert house.stop("api") == 0
    finally:
        for process in house.processes.values():
            process.kill()
            process.wait()


def client(house: House, address: str = CLIENT, **headers: str) -> httpx.Client:
    """Somebody who comes through the proxy."""
    told = {"X-Forwarded-For": f"192.0.2.1, {address}", "X-Forwarded-Host": "shop.example"}
    return httpx.Client(base_url=house.api_url, headers=told | headers)


def log_in(somebody: httpx.Client) -> Any:
    return body(somebody.post("/v1/auth/login", json=PERSON), 200)


def test_who_logs_in_is_let_in_by_the_token_and_by_the_cookie(house: House) -> None:
    with client(house, "198.51.100.8") as somebody:
        given = log_in(somebody)
        # The cookies are for HTTPS, which the proxy speaks: httpx keeps them to itself.
        cookie = next(each for each in given_cookies(somebody) if each.startswith("__Host-strongbox_session="))
        somebody.cookies.clear()
        by_token = {"Authorization": f"Bearer {given['access_token']}"}
        for shown in (by_token, {"Cookie": cookie}):
            me = body(somebody.get("/v1/auth/me", headers=shown), 200)["user"]
            assert me["user_id"] == given["user"]["user_id"]
            assert body(somebody.get("/v1/wallet", headers=shown), 200)["balances"] == []
        changes = {"first_name": "Ada"}
        for origin, status in ((PAGES, 200), ("https://shop.example", 200), ("https://evil.example", 403)):
            answer = somebody.patch("/v1/auth/me", json=changes, headers={"Cookie": cookie, "Origin": origin})
            assert (answer.status_code, answer.headers["vary"]) == (status, "Origin")
        assert somebody.patch("/v1/auth/me", json=changes, headers=by_token | {"Origin": "null"}).status_code == 200
        assert somebody.get("/v1/users", headers=by_token).status_code == 403
        assert somebody.get("/v1/auth/me", headers={"X-API-Key": house.environment["API_KEYS"]}).status_code == 401
        wallets = somebody.get(f"/wallets/{given['user']['user_id']}/balance", headers=by_token)
        assert wallets.headers["www-authenticate"] == 'ApiKey realm="strongbox"'
        assert "vary" not in wallets.headers


def given_cookies(somebody: httpx.Client) -> list[str]:
    """What a log-in sets, as a browser would send it back."""
    answer = somebody.post("/v1/auth/login", json=PERSON)
    return [each.partition(";")[0] for each in answer.headers.get_list("set-cookie")]


def test_a_preflight_is_answered_for_pages_that_are_listed(house: House) -> None:
    asked = {"Origin": PAGES, "Access-Control-Request-Method": "POST"}
    with client(house) as somebody:
        answer = somebody.options("/v1/wallet/send", headers=asked)
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (204, PAGES)
        assert somebody.options("/wallets/a/payments", headers=asked).status_code == 405


def test_each_client_behind_the_proxy_has_a_bucket_of_its_own(house: House) -> None:
    addresses = ("2001:db8::1", "2001:db8::2", "2001:db8:1::")
    with ExitStack() as stack:
        one, same, other = (stack.enter_context(client(house, address)) for address in addresses)
        answers = [each.get("/v1/auth/me") for _ in range(BURST) for each in (one, same)]
        assert [answer.status_code for answer in answers].count(401) == BURST
        past = answers[-1]
        assert (past.status_code, past.json()["error"]["details"]) == (429, {"limit": "ip"})
        assert past.headers["ratelimit-policy"] == f'"ip";q={BURST};w={BURST * 100}'
        assert 1 <= int(past.headers["retry-after"]) <= 100
        assert other.get("/v1/auth/me").status_code == 401
        assert one.get("/wallets/a/balance").status_code == 401  # of which nobody counts


def test_lines_name_whoever_asks_by_a_hash_and_nobody_in_clear(house: House) -> None:
    with client(house, "198.51.100.9") as somebody:
        given = log_in(somebody)
        shown = {"Authorization": f"Bearer {given['access_token']}"}
        marked = {"X-Request-ID": "the-one-that-is-looked-for"}
        body(somebody.get("/v1/wallet/transactions?limit=7", headers=shown | marked), 200)
    wait_until(lambda: marked["X-Request-ID"] in house.log("api"), "the line of the request")
    log = house.log("api")
    (line,) = (json.loads(line) for line in log.splitlines() if marked["X-Request-ID"] in line)
    assert line["event"] == "request"
    assert (line["route"], len(bytes.fromhex(line["user_hash"]))) == ("/v1/wallet/transactions", 32)
    for secret in (PERSON["email"], PERSON["password"], given["access_token"], given["user"]["user_id"], "198.51.100"):
        assert secret not in log, secret
