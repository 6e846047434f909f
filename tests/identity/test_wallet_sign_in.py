"""Signing in with a wallet, over HTTP and PostgreSQL: whoever signs is let in once, and whoever does not is not."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.main.local.postgres import PostgresServer
from app.main.local.roles import Urls
from tests.identity.signing_in import HERE, Door, door, reason_of
from tests.identity.wallets import DOMAIN, WALLET, Wallet, at, message_text

LISTED = f"{DOMAIN},other.example,localhost:8080"


@pytest.fixture(scope="module")
async def here(
    module_database: Urls, postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Door]:
    """Where people sign in at three domains, for two chains."""
    superuser_url = postgres_server.url(module_database.app_url.rpartition("/")[2].partition("?")[0])
    folder: Path = tmp_path_factory.mktemp("keys")
    settings = {"SIWE_DOMAINS": LISTED, "SIWE_CHAIN_IDS": "1,137"}
    async with door(module_database.app_url, superuser_url, folder, **settings) as here:
        yield here


async def test_a_nonce_comes_with_all_that_a_message_needs_beside_it(here: Door) -> None:
    given = await here.nonce()
    assert list(given) == ["nonce", "expires_at", "domain", "uri", "chain_ids"]
    assert (given["domain"], given["uri"], given["chain_ids"]) == (DOMAIN, f"https://{DOMAIN}", [1, 137])
    assert len(given["nonce"]) == 32
    assert given["nonce"].isalnum()
    life_s = (datetime.fromisoformat(given["expires_at"]) - datetime.now(UTC)).total_seconds()
    assert 290 < life_s <= 300


@pytest.mark.parametrize(
    ("host", "domain", "uri"),
    [
        ("localhost:8080", "localhost:8080", "http://localhost:8080"),
        ("other.example", "other.example", "https://other.example"),
        ("LOCALHOST:8080", "localhost:8080", "http://localhost:8080"),
        ("api.example", DOMAIN, f"https://{DOMAIN}"),
        ("localhost", DOMAIN, f"https://{DOMAIN}"),
    ],
)
async def test_it_names_the_host_if_that_is_listed_and_else_the_first(
    here: Door, host: str, domain: str, uri: str
) -> None:
    given = await here.nonce(Host=host)
    assert (given["domain"], given["uri"]) == (domain, uri)


async def test_an_address_that_nobody_has_becomes_a_customer_and_comes_back_as_the_same(here: Door) -> None:
    wallet = Wallet(1001)
    first = await here.sign_in(wallet)
    assert first.status_code == 200
    assert first.headers["Cache-Control"] == "no-store"
    body = first.json()
    assert list(body) == ["user", "access_token", "token_type", "expires_in", "refresh_token"]
    user = body["user"]
    assert (user["wallet_address"], user["role"], user["email"]) == (wallet.address, "customer", None)
    assert user["last_login_at"] is not None
    assert here.events(user["user_id"]) == ["user.registered"]
    again = (await here.sign_in(wallet)).json()
    assert again["user"]["user_id"] == user["user_id"]
    assert again["refresh_token"] != body["refresh_token"]
    assert here.events(user["user_id"]) == ["user.registered"]


async def test_who_signed_in_is_let_in_by_the_token_and_by_the_cookie(here: Door) -> None:
    answer = await here.sign_in()
    token = answer.json()["access_token"]
    cookies = dict(cookie.split(";")[0].split("=", 1) for cookie in answer.headers.get_list("set-cookie"))
    assert set(cookies) == {"__Host-strongbox_session", "__Secure-strongbox_refresh"}
    for headers in (
        {"Authorization": f"Bearer {token}"},
        {"Cookie": f"__Host-strongbox_session={cookies['__Host-strongbox_session']}"},
    ):
        here.client.cookies.clear()
        me = await here.client.get("/v1/auth/me", headers={**HERE, **headers})
        assert me.status_code == 200, me.text
        assert me.json()["user"]["wallet_address"] == WALLET.address


async def test_of_fifty_who_show_one_message_one_is_let_in(here: Door) -> None:
    message = await here.message(Wallet(1002))
    signature = Wallet(1002).sign(message)
    answers = await asyncio.gather(*(here.send(message, signature) for _ in range(50)))
    assert [answer.status_code for answer in answers].count(200) == 1
    assert {reason_of(answer) for answer in answers if answer.status_code != 200} == {"nonce"}


async def test_an_address_that_comes_fifty_times_at_once_becomes_one_customer(here: Door) -> None:
    wallet = Wallet(1003)
    answers = await asyncio.gather(*(here.sign_in(wallet) for _ in range(50)))
    assert {answer.status_code for answer in answers} == {200}
    users = {answer.json()["user"]["user_id"] for answer in answers}
    assert len(users) == 1
    assert here.events(users.pop()) == ["user.registered"]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"nonce": "a" * 32}, "nonce"),
        ({"domain": "evil.example"}, "domain"),
        ({"domain": "localhost:8081"}, "domain"),
        ({"uri": "https://evil.example"}, "uri"),
        ({"uri": f"ftp://{DOMAIN}"}, "uri"),
        ({"version": "2"}, "version"),
        ({"chain_id": "5"}, "chain"),
        ({"issued_at": at(-86_400, datetime.now(UTC))}, "time"),
        ({"issued_at": at(86_400, datetime.now(UTC))}, "time"),
        ({"rest": f"\nExpiration Time: {at(-3_600, datetime.now(UTC))}"}, "time"),
        ({"rest": f"\nNot Before: {at(3_600, datetime.now(UTC))}"}, "time"),
    ],
)
async def test_what_does_not_fit_is_named(here: Door, said: Any, reason: str) -> None:
    assert reason_of(await here.sign_in(**said)) == reason


@pytest.mark.parametrize("said", [{"chain_id": "137"}, {"chain_id": "001"}, {"uri": f"http://{DOMAIN}/a?b#c"}])
async def test_what_fits_in_another_spelling_fits(here: Door, said: Any) -> None:
    assert (await here.sign_in(**said)).status_code == 200


async def test_whatever_is_wrong_with_a_message_its_nonce_is_spent(here: Door) -> None:
    given = await here.nonce()
    wrong = message_text(nonce=given["nonce"], domain="evil.example", issued_at=at(0, datetime.now(UTC)))
    assert reason_of(await here.send(wrong, WALLET.sign(wrong))) == "domain"
    right = message_text(nonce=given["nonce"], issued_at=at(0, datetime.now(UTC)))
    assert reason_of(await here.send(right, WALLET.sign(right))) == "nonce"


async def test_what_is_no_message_spends_nothing(here: Door) -> None:
    message = await here.message()
    broken = message + "\n"
    answer = await here.send(broken, WALLET.sign(broken))
    assert answer.status_code == 400
    assert list(answer.json()["error"]["details"]) == ["message"]
    for no_signature in ("", "0x0", WALLET.sign(message)[2:], "0x" + "ab" * 4097):
        answer = await here.send(message, no_signature)
        assert answer.status_code == 400
        assert list(answer.json()["error"]["details"]) == ["signature"]
    assert (await here.send(message, WALLET.sign(message))).status_code == 200


async def test_somebody_elses_signature_lets_nobody_in(here: Door) -> None:
    message = await here.message(Wallet(1004))
    assert reason_of(await here.send(message, Wallet(1005).sign(message))) == "signature"
    assert here.rows("SELECT FROM identity.users WHERE wallet_address = %s", Wallet(1004).address) == []


@pytest.mark.parametrize("signature", ["0x", "0x" + "00" * 65, "0x" + "ff" * 65, "0x" + "ab" * 4096])
async def test_neither_do_bytes_that_no_key_made(here: Door, signature: str) -> None:
    assert reason_of(await here.send(await here.message(), signature)) == "signature"


async def test_a_signature_with_another_v_or_the_higher_s_is_none(here: Door) -> None:
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    for change in ("v", "s"):
        message = await here.message()
        signed = bytearray.fromhex(WALLET.sign(message)[2:])
        if change == "v":
            signed[64] -= 27
        else:
            signed[32:64] = (order - int.from_bytes(signed[32:64], "big")).to_bytes(32, "big")
            signed[64] = 55 - signed[64]
        assert reason_of(await here.send(message, "0x" + signed.hex())) == "signature"


async def test_whoever_is_disabled_is_told_what_a_stranger_is_told(here: Door) -> None:
    wallet = Wallet(1006)
    await here.add(wallet_address=wallet.address, is_active=False)
    message = await here.message(wallet)
    refused = await here.send(message, wallet.sign(message))
    strange = await here.message(wallet)
    other = await here.send(strange, Wallet(1007).sign(strange))
    assert reason_of(refused) == "signature"
    assert refused.content == other.content
