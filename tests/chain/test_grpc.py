"""The service as callers meet it: its codes, its token, its deadlines, health and reflection."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from app.contexts.chain.adapters.grpc import chain_pb2 as pb
from app.contexts.chain.adapters.grpc.client import GrpcChain
from app.contexts.chain.adapters.grpc.messages import SERVICE
from app.contexts.chain.adapters.grpc.server import serving
from app.contexts.chain.adapters.grpc.service import ChainService
from app.contexts.chain.domain.refusals import ChainAway, RequestReused, UnknownAnswer
from app.contexts.chain.public import InvalidMint, Mint, MintStatus
from app.contexts.chain.settings import Endpoint
from app.platform.process.processes import free_port
from app.platform.process.running import CannotServe
from tests.chain.adapter import CALL_S, order
from tests.chain.grpc_place import GOOD, HASH, SECRET, TOKEN, Place, code_of, place_of
from tests.pace import slow


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    """A server."""
    async with place_of() as place:
        yield place


async def test_what_is_asked_for_is_answered(place: Place) -> None:
    async with place.stub() as call:
        made = await call("MintToken", pb.MintTokenRequest(**GOOD))
        assert (made.tx_hash, made.status) == (HASH, pb.BROADCAST)
        found = await call("GetMint", pb.GetMintRequest(request_id=GOOD["request_id"].upper()))
        assert (found.tx_hash, found.status, found.to) == (HASH, pb.MINED, GOOD["to"])
        assert found.amount == bytes(31) + b"\x01"
        has = await call("GetBalance", pb.GetBalanceRequest(address=GOOD["to"]))
        assert has.amount == b"\x80" + bytes(31)
        code, _ = await code_of(call("GetMint", pb.GetMintRequest(request_id=str(uuid4()))))
        assert code is grpc.StatusCode.NOT_FOUND


WRONG = {
    "no id": {"request_id": ""},
    "an id in braces": {"request_id": "{" + GOOD["request_id"] + "}"},
    "no address": {"to": "somebody"},
    "the zero address": {"to": "0x" + "0" * 40},
    "a misspelled address": {"to": "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1Beaed"},
    "no amount": {"amount": b""},
    "zero": {"amount": bytes(32)},
    "33 bytes": {"amount": bytes(32) + b"\x01"},
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_what_can_never_be_minted_is_an_invalid_argument_that_names_the_member(place: Place, wrong: str) -> None:
    async with place.stub() as call:
        code, why = await code_of(call("MintToken", pb.MintTokenRequest(**{**GOOD, **WRONG[wrong]})))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert why.startswith(next(iter(WRONG[wrong])))
    assert place.minting.done == []


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (RequestReused(), grpc.StatusCode.ALREADY_EXISTS),
        (ChainAway(SECRET), grpc.StatusCode.UNAVAILABLE),
        (UnknownAnswer(SECRET), grpc.StatusCode.UNKNOWN),
        (RuntimeError(SECRET), grpc.StatusCode.INTERNAL),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value.name,
)
async def test_what_goes_wrong_has_a_code_and_no_words_of_its_own(
    place: Place, raised: Exception, code: grpc.StatusCode
) -> None:
    place.minting.raises = raised
    async with place.stub() as call:
        for method, message in (
            ("MintToken", pb.MintTokenRequest(**GOOD)),
            ("GetMint", pb.GetMintRequest(request_id=GOOD["request_id"])),
            ("GetBalance", pb.GetBalanceRequest(address=GOOD["to"])),
        ):
            found, why = await code_of(call(method, message))
            assert SECRET not in why
            if method == "MintToken":
                assert found is code


@pytest.mark.parametrize(
    ("raised", "meant"),
    [
        (RequestReused(), RequestReused),
        (ChainAway(SECRET), ChainAway),
        (UnknownAnswer(SECRET), UnknownAnswer),
        (OSError(SECRET), UnknownAnswer),
    ],
    ids=["reused", "away", "unknown", "a bug"],
)
async def test_the_client_gives_each_back_as_what_it_was(
    place: Place, raised: Exception, meant: type[Exception]
) -> None:
    async with place.client() as client:
        assert (await client.mint(order(3), CALL_S)).status is MintStatus.BROADCAST
        found = await client.get_mint(place.minting.done[0].request_id, CALL_S)
        assert found == Mint(place.minting.done[0], MintStatus.MINED, HASH)
        assert await client.get_mint(uuid4(), CALL_S) is None
        assert await client.balance(order().to, CALL_S) == 2**255
        with pytest.raises(InvalidMint, match="to is no address"):
            await client.mint(order(3, "nobody"), CALL_S)
        place.minting.raises = raised
        with pytest.raises(meant):
            await client.mint(order(), CALL_S)


async def test_a_client_without_an_adapter_does_not_know() -> None:
    client = GrpcChain(Endpoint(f"127.0.0.1:{free_port()}", is_tls=False), TOKEN, "")
    async with client.opened():
        with pytest.raises(UnknownAnswer):
            await client.mint(order(), 0.5)


TOKENS = {
    "none": {"other": "x"},
    "another": {"authorization": "Bearer another"},
    "without Bearer": {"authorization": TOKEN},
    "with more": {"authorization": f"Bearer {TOKEN}x"},
}


@pytest.mark.parametrize("given", TOKENS)
async def test_without_the_token_nothing_is_done(place: Place, given: str) -> None:
    async with place.stub(**TOKENS[given]) as call:
        code, why = await code_of(call("MintToken", pb.MintTokenRequest(**GOOD)))
    assert code is grpc.StatusCode.UNAUTHENTICATED
    assert TOKEN not in why
    assert place.minting.done == []


async def test_a_client_with_a_wrong_token_says_so_and_that_nothing_was_signed(place: Place) -> None:
    async with place.client("another-token-of-theirs") as client:
        with pytest.raises(ChainAway, match="CHAIN_TOKEN"):
            await client.mint(order(), CALL_S)


async def test_bytes_that_are_no_message_are_an_invalid_argument(place: Place) -> None:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{place.port}") as channel:
        call: Any = channel.unary_unary(f"/{SERVICE}/MintToken")
        metadata = (("authorization", f"Bearer {TOKEN}"),)
        code, why = await code_of(call(b"\xff\xff\xff", metadata=metadata, timeout=CALL_S))
        unknown: Any = channel.unary_unary(f"/{SERVICE}/BurnToken")
        missing, _ = await code_of(unknown(b"", metadata=metadata, timeout=CALL_S))
    assert (code, why) == (grpc.StatusCode.INVALID_ARGUMENT, "the message cannot be read")
    assert missing is grpc.StatusCode.UNIMPLEMENTED


async def test_a_callers_deadline_is_kept_and_what_was_begun_goes_on_without_him(place: Place) -> None:
    place.minting.waits_for.clear()
    within_s = slow(0.5)
    async with place.stub() as call:
        await code_of(call("GetMint", pb.GetMintRequest(request_id=str(uuid4()))))  # they are connected
        code, _ = await code_of(call("MintToken", pb.MintTokenRequest(**GOOD), timeout=within_s))
    place.minting.waits_for.set()
    assert code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert place.minting.deadlines[0] <= 1.1 * within_s  # on its way it is rounded up
    await asyncio.wait_for(place.minting.has_done.wait(), CALL_S)
    assert place.minting.done == [order(1, GOOD["to"], UUID(GOOD["request_id"]))]


async def test_the_end_waits_for_what_was_begun() -> None:
    async with place_of(grace_s=0.2) as place:
        place.minting.waits_for.clear()
        async with place.stub() as call:
            asking = asyncio.ensure_future(call("MintToken", pb.MintTokenRequest(**GOOD)))
            await asyncio.wait_for(place.minting.has_begun.wait(), CALL_S)
            asyncio.get_running_loop().call_later(1.0, place.minting.waits_for.set)  # behind the end of the grace
            asking.cancel()
    assert len(place.minting.done) == 1


async def test_health_and_reflection_are_open_to_all(place: Place) -> None:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{place.port}") as channel:
        health: Any = health_pb2_grpc.HealthStub(channel)
        ours = health_pb2.HealthCheckRequest(service=SERVICE)
        assert (await health.Check(health_pb2.HealthCheckRequest())).status == health_pb2.HealthCheckResponse.SERVING
        assert (await health.Check(ours)).status == health_pb2.HealthCheckResponse.NOT_SERVING
        await place.served.says(is_well=True)
        assert (await health.Check(ours)).status == health_pb2.HealthCheckResponse.SERVING
        reflection: Any = reflection_pb2_grpc.ServerReflectionStub(channel)  # type: ignore[arg-type]
        asked = [reflection_pb2.ServerReflectionRequest(list_services="")]
        answers = [answer async for answer in reflection.ServerReflectionInfo(iter(asked))]
    names = {each.name for each in answers[0].list_services_response.service}
    assert names == {SERVICE, "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}


async def test_a_port_that_is_taken_is_named(place: Place) -> None:
    service = ChainService(place.minting.mint, place.minting.find, place.minting.balance)
    with pytest.raises(CannotServe, match="CHAIN_GRPC_PORT: cannot serve on "):
        async with serving(service, f"127.0.0.1:{place.port}", TOKEN, None, 1.0):
            pass
