"""Accounts that are contracts (ERC-1271): what a node may answer, and what becomes of it."""

import asyncio
import time
from typing import Any

import pytest
import structlog

from app.contexts.identity.adapters.ethereum import contracts as contracts_module
from app.contexts.identity.adapters.ethereum.contracts import AT_ONCE, make_contracts
from app.contexts.identity.adapters.ethereum.node import FAILURES, RESET_S
from app.kernel.errors import Unavailable
from tests.identity.nodes import FAILED, MAGIC, Chain, node, reply
from tests.pace import slow
from tests.platform.peers import Script, closed_port, hang, reset_at_once, serving, silent, until

ACCOUNT = "0x111AAA1111111111111111111111111111111111"
DIGEST = bytes(range(32))


async def accepted(answer: Any, signature: bytes = b"any") -> bool:
    """Whether a contract that answers so takes the signature."""
    async with node(Chain({ACCOUNT: lambda *_: answer})) as (_, contracts):
        return await contracts.accept("1", ACCOUNT, DIGEST, signature)


@pytest.mark.parametrize("signature", [b"", b"a", b"b" * 32, b"c" * 65, b"d" * 4096])
async def test_a_contract_is_asked_about_the_digest_and_the_signature(signature: bytes) -> None:
    chain = Chain({ACCOUNT: lambda *given: MAGIC if given == (DIGEST, signature) else "0x" + "00" * 32})
    async with node(chain) as (_, contracts):
        assert await contracts.accept("1", ACCOUNT, DIGEST, signature)
        assert not await contracts.accept("1", ACCOUNT, DIGEST, signature + b"!")
    assert [one["method"] for one in chain.asked[:2]] == ["eth_getCode", "eth_call"]
    assert chain.asked[1]["params"][0]["gas"] == "0x989680"


async def test_an_account_without_code_is_none_and_is_not_called() -> None:
    chain = Chain()
    async with node(chain) as (_, contracts):
        assert not await contracts.accept("1", ACCOUNT, DIGEST, b"any")
    assert [one["method"] for one in chain.asked] == ["eth_getCode"]


async def test_on_a_chain_without_a_node_nobody_is_asked() -> None:
    chain = Chain({ACCOUNT: lambda *_: MAGIC})
    async with node(chain) as (_, contracts):
        assert not await contracts.accept("137", ACCOUNT, DIGEST, b"any")
    assert chain.asked == []


@pytest.mark.parametrize(
    "answer",
    [
        "0x",
        "0x1626ba7e",
        "0x" + "00" * 28 + "1626ba7e",
        "0xffffffff" + "00" * 28,
        "0x" + "00" * 31 + "01",
        "0x1626ba7e" + "00" * 27 + "01",
        "0x1626ba7e" + "00" * 27,
        FAILED,
        {"code": -32000, "message": "execution reverted"},
        {"code": -32000, "message": "out of gas"},
        {"code": -32000, "message": "invalid opcode: INVALID"},
        {"code": -32603, "message": "VM Exception while processing transaction: reverted"},
        {"code": -32603, "message": "EVM error OutOfGas"},
        {"code": -32603, "message": "EVM error InvalidFEOpcode"},
        {"code": -32015, "message": "VM execution error."},
        {"code": -32003, "message": "transaction rejected"},
    ],
)
async def test_any_other_answer_of_a_contract_is_no(answer: Any) -> None:
    assert not await accepted(answer)


async def test_what_comes_behind_the_word_does_not_count() -> None:
    assert await accepted(MAGIC + "ab" * 32)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"no JSON",
        b"\xff",
        b"[" * 60_000,
        b"{}",
        reply(),
        reply(result=None),
        reply(result=1),
        reply(result=True),
        reply(result=[]),
        reply(result={}),
        reply(result=""),
        reply(result="0x0"),
        reply(result="0xzz"),
        reply(result="1626ba7e"),
        reply(result="0x6001 "),
        reply(result="0x\uff10\uff10"),
        reply(result="0x" + "ab" * 40_000),
        reply(result="0x6001", id=2),
        reply(result="0x6001", id="1"),
        reply(result="0x6001", id=10**30),
        reply(error={}),
        reply(error="no"),
        reply(error={"code": "3", "message": "execution reverted"}),
        reply(error={"code": -32005, "message": "limit exceeded"}),
        reply(error={"code": -32603, "message": "internal error"}),
        reply(error={"code": -32601, "message": "the method does not exist"}),
        reply(error={"code": 429, "message": "too many requests"}),
        reply(error={"code": -32005, "message": "out of gas credits"}),
        reply(result="0x6001", error={"code": -32603, "message": "internal error"}),
    ],
    ids=lambda body: repr(body[:60]),
)
async def test_what_is_no_answer_is_none_and_not_a_no(body: bytes) -> None:
    for behind in ([], [reply(result="0x6001")]):
        chain = Chain(answers=[*behind, body])
        async with node(chain) as (_, contracts):
            with pytest.raises(Unavailable):
                await contracts.accept("1", ACCOUNT, DIGEST, b"any")


@pytest.mark.parametrize("status", [204, 301, 307, 400, 401, 403, 404, 429, 500, 503])
async def test_a_status_that_is_not_200_is_no_answer_whatever_comes_with_it(status: int) -> None:
    chain = Chain({ACCOUNT: lambda *_: MAGIC}, status=status)
    async with node(chain) as (_, contracts):
        with pytest.raises(Unavailable):
            await contracts.accept("1", ACCOUNT, DIGEST, b"any")


async def _drips(peer: Any) -> None:
    await peer.read()
    await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n")
    while True:
        await peer.send(b" ")
        await asyncio.sleep(0.05)


async def _floods(peer: Any) -> None:
    await peer.read()
    await peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        await peer.send(b"1000\r\n" + b" " * 4096 + b"\r\n")


@pytest.mark.parametrize("script", [silent, hang, _drips, _floods, reset_at_once])
async def test_a_node_that_does_not_answer_costs_its_time_and_no_more(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contracts_module, "WITHIN_S", 0.3)
    began = time.monotonic()
    async with serving(script) as server:
        with pytest.raises(Unavailable):
            await make_contracts({"1": server.url}).accept("1", ACCOUNT, DIGEST, b"any")
    assert time.monotonic() - began < slow(1.5)


async def test_both_questions_share_the_three_seconds() -> None:
    async def late(peer: Any) -> None:
        await peer.read()
        await asyncio.sleep(2.0)
        await peer.answer(200, reply(result="0x6001"))
        await peer.read()
        await hang(peer)

    began = time.monotonic()
    async with serving(late) as server:
        with pytest.raises(Unavailable):
            await make_contracts({"1": server.url}).accept("1", ACCOUNT, DIGEST, b"any")
    assert 2.9 < time.monotonic() - began < slow(4.0)


async def test_a_node_that_keeps_failing_is_left_alone_for_a_while_and_the_change_is_logged() -> None:
    contracts = make_contracts({"1": f"http://key:canary@127.0.0.1:{closed_port()}/canary?canary"})
    with structlog.testing.capture_logs() as logs:
        for _ in range(FAILURES + 1):
            with pytest.raises(Unavailable):
                await contracts.accept("1", ACCOUNT, DIGEST, b"any")
    assert [(entry["event"], entry["chain"], entry["state"]) for entry in logs] == [("chain_breaker", "1", "open")]
    assert "canary" not in str(logs)
    assert RESET_S == 5.0


async def test_contracts_that_fail_do_not_keep_others_from_the_node() -> None:
    chain = Chain({ACCOUNT: lambda *_: FAILED, "0x2": lambda *_: MAGIC})
    async with node(chain) as (_, contracts):
        for _ in range(3 * FAILURES):
            assert not await contracts.accept("1", ACCOUNT, DIGEST, b"any")
        assert await contracts.accept("1", "0x2", DIGEST, b"any")


async def test_a_node_of_one_chain_does_not_keep_another_chain_waiting() -> None:
    chain = Chain({ACCOUNT: lambda *_: MAGIC})
    async with serving(chain.serve) as server:
        contracts = make_contracts({"1": f"http://127.0.0.1:{closed_port()}", "137": server.url})
        for _ in range(FAILURES + 1):
            with pytest.raises(Unavailable):
                await contracts.accept("1", ACCOUNT, DIGEST, b"any")
        assert await contracts.accept("137", ACCOUNT, DIGEST, b"any")


async def test_more_than_so_many_at_once_are_told_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contracts_module, "WITHIN_S", 120.0)  # none of them is given up before the last has come
    async with serving(silent) as server:
        contracts = make_contracts({"1": server.url})
        asking = [asyncio.create_task(contracts.accept("1", ACCOUNT, DIGEST, b"any")) for _ in range(AT_ONCE)]
        await until(lambda: len(server.requests) == AT_ONCE)
        began = time.monotonic()
        with pytest.raises(Unavailable):
            await contracts.accept("1", ACCOUNT, DIGEST, b"any")
        assert time.monotonic() - began < slow(3.0)
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)


async def test_who_may_ask_a_node_is_told_to_it_alone() -> None:
    chain = Chain()
    async with serving(chain.serve) as server:
        url = server.url.replace("http://", "http://name:secret@") + "/v3/key?more=1"
        assert not await make_contracts({"1": url}).accept("1", ACCOUNT, DIGEST, b"any")
        (request,) = server.requests
    assert request.startswith(b"POST /v3/key?more=1 HTTP/1.1\r\n")
    assert b"\r\nAuthorization: Basic bmFtZTpzZWNyZXQ=\r\n" in request
    assert b"name:secret" not in request
