"""Requests to sign in that nobody means well with: refused as malformed or too large, never a fault, and of none of
them a word in a log."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import structlog

from app.main.local.postgres import PostgresServer
from app.main.local.roles import Urls
from tests.identity.signing_in import HERE, Door, door, reason_of
from tests.identity.wallets import DOMAIN, WALLET, Wallet, message_text

WHOLE = message_text(statement="I agree.", rest="\nRequest ID: 1\nResources:\n- a:b")
SIGNED = WALLET.sign(WHOLE)


@pytest.fixture(scope="module")
async def here(
    module_database: Urls, postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Door]:
    superuser_url = postgres_server.url(module_database.app_url.rpartition("/")[2].partition("?")[0])
    folder = tmp_path_factory.mktemp("keys")
    async with door(module_database.app_url, superuser_url, folder, SIWE_DOMAINS=DOMAIN) as here:
        yield here


@pytest.mark.parametrize(
    "message",
    [
        "",
        "\n",
        "\0",
        WHOLE.replace("\n", "\r\n"),
        WHOLE + "\r",
        WHOLE.replace("I agree", "I\tagree"),
        WHOLE.replace("I agree", "I\0agree"),
        WHOLE.replace("I agree", "\u202eI agree"),
        WHOLE.replace("I agree", "\u2066I agree\u2069"),
        WHOLE.replace("I agree", "Ι agree"),
        WHOLE.replace("shop.example", "sh\u043ep.example"),
        WHOLE.replace("shop.example", "shop\u2024example"),
        WHOLE.replace(": ", "\uff1a "),
        WHOLE.replace(" ", "\u00a0"),
        WHOLE.replace("Chain ID: 1", "Chain ID: \u0661"),
        WHOLE.replace("0x", "0\u00d7"),
        WHOLE.replace(WALLET.address, WALLET.address.lower()),
        "\ufeff" + WHOLE,
        WHOLE.replace("Nonce: ", "Nonce: \nNonce: "),
        WHOLE.replace("\nVersion: 1", "\nVersion: 1\nVersion: 1"),
        WHOLE.replace("\nURI: ", "\nURI: https://evil.example\nURI: "),
        WHOLE + WHOLE,
        "\n" * 30_000,
        "a" * 60_000,
        WHOLE + "\n- a:b" * 8_000 + "\n",
        WHOLE.replace("- a:b", "- a:b" + "%4" * 10_000),
        WHOLE.replace("2026-01-31", "2026-02-31"),
        WHOLE.replace("2026-01-31T12", "2026-01-31T99"),
    ],
    ids=lambda message: repr(message[:10]) + str(len(message)),
)
async def test_what_is_not_of_the_grammar_is_malformed(here: Door, message: str) -> None:
    before = here.nonces()
    answer = await here.send(message, SIGNED)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["code"] == "VALIDATION_ERROR"
    assert list(answer.json()["error"]["details"]) == ["message"]
    assert here.nonces() == before


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"null",
        b"[]",
        b'"message"',
        b"{" * 10_000,
        b'{"message":',
        b'{"message":"\xff","signature":"0x"}',
        b'{"message":"\\ud800","signature":"0x"}',
        b'{"message":"\\udc00\\ud800","signature":"0x"}',
        b'{"message":"\xed\xa0\x80","signature":"0x"}',
        b'{"message":"a","message":"b","signature":"0x"}',
        b'{"message":"a","signature":"0x","signature":"0x"}',
        b'{"message":"a"}',
        b'{"signature":"0x"}',
        b'{"message":null,"signature":"0x"}',
        b'{"message":1,"signature":2}',
        b'{"message":["a"],"signature":{"r":1}}',
        b'{"message":"a","signature":"0x","domain":"shop.example"}',
        b'{"message":"a","signature":"0x","__proto__":{}}',
        b'{"message":NaN,"signature":"0x"}',
        b"\xef\xbb\xbf" + json.dumps({"message": WHOLE, "signature": SIGNED}).encode(),
        json.dumps({"message": WHOLE, "signature": SIGNED}).encode("utf-16"),
        json.dumps({"message": WHOLE, "signature": SIGNED + "\n"}).encode(),
        json.dumps({"message": WHOLE, "signature": "0x" + "\uff10" * 130}).encode(),
        json.dumps({"message": WHOLE, "signature": "0x" + "0" * 60_000}).encode(),
    ],
    ids=lambda body: repr(body[:40]) + str(len(body)),
)
async def test_a_body_that_is_not_a_message_and_a_signature_is_malformed(here: Door, body: bytes) -> None:
    answer = await here.client.post("/v1/auth/siwe", content=body, headers={**HERE, "Content-Type": "application/json"})
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["code"] == "VALIDATION_ERROR"


@pytest.mark.parametrize(
    "message",
    [WHOLE + "\n- a:b" * 1_000_000, "a" * 70_000, "\n" * 1_000_000],
    ids=["a million resources", "70 kB", "a million lines"],
)
async def test_a_message_of_more_than_64_kib_is_too_large(here: Door, message: str) -> None:
    assert (await here.send(message, SIGNED)).status_code == 413


@pytest.mark.parametrize(
    "message",
    [
        WHOLE.replace("Chain ID: 1", "Chain ID: " + "9" * 50_000),
        WHOLE.replace("Version: 1", "Version: " + "1" * 50_000),
        WHOLE.replace("12:00:00.000Z", "12:00:00." + "0" * 50_000 + "Z"),
        WHOLE.replace("2026-01-31T12", "0000-01-01T12"),
        WHOLE.replace("2026-01-31T12:00:00.000Z", "9999-12-31T23:59:59-23:59"),
        WHOLE + "\n- a:b" * 8_000,
        message_text(nonce="a" * 60_000),
        message_text(uri="https://" + "a" * 60_000),
    ],
    ids=lambda message: str(len(message)),
)
async def test_a_message_that_is_one_however_strange_is_only_not_ours(here: Door, message: str) -> None:
    """Its nonce was never given out, which is what is looked at first."""
    assert reason_of(await here.send(message, WALLET.sign(message))) == "nonce"
    given = await here.nonce()
    if "a" * 60_000 not in message:
        strange = message.replace("5f0c2ad1b86e43e7", given["nonce"])
        assert reason_of(await here.send(strange, WALLET.sign(strange))) in ("chain", "version", "time", "signature")


async def test_no_other_site_signs_anybody_in(here: Door) -> None:
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        message = await here.message()
        answer = await here.send(message, WALLET.sign(message), **headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "ORIGIN_REFUSED")
        assert (await here.send(message, WALLET.sign(message), Origin=f"https://{DOMAIN}")).status_code == 200


async def test_a_listed_site_signs_in_and_reads_who_it_is(here: Door) -> None:
    there = {"Origin": "https://pages.example", "Sec-Fetch-Site": "cross-site"}
    message = await here.message()
    answer = await here.send(message, WALLET.sign(message), **there)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "https://pages.example"


async def test_neither_address_nor_message_nor_signature_is_in_a_log(
    here: Door, capfd: pytest.CaptureFixture[str]
) -> None:
    wallet = Wallet(0xCA9A81)
    with structlog.testing.capture_logs() as logs:
        message = await here.message(wallet, statement="canary-statement", rest="\nRequest ID: canary-request")
        signature = wallet.sign(message)
        answers: list[Any] = [
            await here.send(message, signature),
            await here.send(message, signature),
            await here.send(message + "\0", signature),
            await here.send(message, signature + "0"),
            await here.send(await here.message(wallet, chain_id="5"), signature),
        ]
    assert [answer.status_code for answer in answers] == [200, 401, 400, 400, 401]
    told = [json.dumps(logs, default=str), "".join(capfd.readouterr()), *(answer.text for answer in answers[1:])]
    assert logs
    for canary in (
        wallet.address,
        wallet.address.lower()[2:],
        signature[2:40],
        "canary",
        message.split("Nonce: ")[1][:32],
    ):
        assert not any(canary in text for text in told), canary
