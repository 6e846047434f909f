"""What is asked in one moment goes in one call, and each has its own answer."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import grpc
import pytest

from app.contexts.chain.adapters.grpc import chain_pb2 as pb
from app.contexts.chain.adapters.grpc.service import MOST_AT_ONCE, ChainService
from app.contexts.chain.adapters.grpc.together import Together
from app.contexts.chain.domain.refusals import ChainAway, UnknownAnswer
from app.contexts.chain.public import InvalidMint, Mint, MintStatus
from tests.chain.adapter import CALL_S, order
from tests.chain.grpc_place import GOOD, HASH, SECRET, Place, code_of, place_of


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    """A server."""
    async with place_of() as place:
        yield place


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the server is called, in order."""
    found: list[str] = []
    for name in ("MintToken", "MintTokens", "GetMint", "GetMints"):
        _watch(monkeypatch, name, found)
    return found


def _watch(monkeypatch: pytest.MonkeyPatch, name: str, found: list[str]) -> None:
    really = getattr(ChainService, name)

    async def watched(self: ChainService, request: Any, context: Any) -> Any:
        found.append(name)
        return await really(self, request, context)

    monkeypatch.setattr(ChainService, name, watched)


async def test_each_of_several_has_its_own_answer(calls: list[str]) -> None:
    orders = [order(1), order(2), order(3, "nobody"), order(4)]
    async with place_of() as place, place.client() as client:
        made = await asyncio.gather(*(client.mint(each, CALL_S) for each in orders), return_exceptions=True)
        known = await asyncio.gather(*(client.get_mint(each.request_id, CALL_S) for each in orders))
        assert (await client.mint(order(5), CALL_S)).status is MintStatus.BROADCAST
    assert calls == ["MintTokens", "GetMints", "MintToken"]
    assert isinstance(made[2], InvalidMint)
    assert [made[0], made[1], made[3]] == [Mint(orders[nth], MintStatus.BROADCAST, HASH) for nth in (0, 1, 3)]
    expected = [Mint(each, MintStatus.MINED, HASH) for each in orders]
    assert known == [expected[0], expected[1], None, expected[3]]


async def test_a_bug_over_one_of_several_is_that_ones_alone(place: Place) -> None:
    bad, good = order(13), order(1)
    place.minting.raises, place.minting.raises_for = RuntimeError(SECRET), bad
    async with place.client() as client:
        made = await asyncio.gather(client.mint(bad, CALL_S), client.mint(good, CALL_S), return_exceptions=True)
    assert isinstance(made[0], UnknownAnswer)
    assert SECRET not in str(made[0])
    assert made[1] == Mint(good, MintStatus.BROADCAST, HASH)


async def test_while_the_chain_is_away_all_of_several_are_told_that_nothing_was_signed(place: Place) -> None:
    place.minting.raises = ChainAway(SECRET)
    async with place.client() as client:
        made = await asyncio.gather(*(client.mint(order(), CALL_S) for _ in range(3)), return_exceptions=True)
    assert [type(each) for each in made] == [ChainAway] * 3


async def test_an_adapter_that_knows_no_such_calls_is_asked_one_by_one(
    calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unknown(_: ChainService, __: Any, context: Any) -> None:
        calls.append("unknown")
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, "Method not found!")

    for name in ("MintTokens", "GetMints"):
        monkeypatch.setattr(ChainService, name, unknown)
    orders = [order(1), order(2)]
    async with place_of() as place, place.client() as client:
        for _ in range(2):
            made = await asyncio.gather(*(client.mint(each, CALL_S) for each in orders))
            assert made == [Mint(each, MintStatus.BROADCAST, HASH) for each in orders]
        assert None not in await asyncio.gather(*(client.get_mint(each.request_id, CALL_S) for each in orders))
    assert calls == ["unknown", *4 * ["MintToken"], *2 * ["GetMint"]]


async def test_more_than_there_may_be_at_once_is_refused(place: Place) -> None:
    async with place.stub() as call:
        many = [pb.MintTokenRequest(**GOOD)] * (MOST_AT_ONCE + 1)
        code, why = await code_of(call("MintTokens", pb.MintTokensRequest(mints=many)))
        assert (code, why) == (grpc.StatusCode.INVALID_ARGUMENT, "more than 1000 at once")
        ids = [str(uuid4())] * (MOST_AT_ONCE + 1)
        assert (await code_of(call("GetMints", pb.GetMintsRequest(request_ids=ids))))[0] is code
    assert place.minting.done == []


async def test_what_is_asked_while_a_call_is_under_way_does_not_wait_for_it() -> None:
    asked: list[list[int]] = []
    answered = asyncio.Event()

    async def ask(numbers: Any, _: float) -> list[int | Exception]:
        asked.append([*numbers])
        if numbers[0] == 1:
            await answered.wait()
        return [each * 10 for each in numbers]

    together = Together[int, int](ask, 2)
    first = asyncio.gather(*(together.submit(each, CALL_S) for each in (1, 2, 3)))
    await asyncio.sleep(0)  # those are submitted
    assert await asyncio.wait_for(together.submit(4, CALL_S), CALL_S) == 40
    answered.set()
    assert await first == [10, 20, 30]
    assert asked == [[1, 2], [3], [4]]
