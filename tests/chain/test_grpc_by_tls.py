"""The service by TLS."""

from pathlib import Path

import pytest

from app.contexts.chain.adapters.grpc.client import GrpcChain
from app.contexts.chain.public import MintStatus, UnknownAnswer
from app.contexts.chain.settings import Endpoint
from app.platform.process.settings import InvalidSettings
from tests.chain.adapter import CALL_S, order
from tests.chain.certificates import certified
from tests.chain.grpc_place import TOKEN, place_of


async def test_with_tls_only_who_believes_the_authority_is_answered(tmp_path: Path) -> None:
    certificate, key = certified(tmp_path, "ours")
    stranger, _ = certified(tmp_path, "a stranger")
    async with place_of((certificate, key)) as place:
        target = f"127.0.0.1:{place.port}"
        client = GrpcChain(Endpoint(target, is_tls=True), TOKEN, str(certificate))
        async with client.opened():
            assert (await client.mint(order(), CALL_S)).status is MintStatus.BROADCAST
        for endpoint, authority in (
            (Endpoint(target, is_tls=True), str(stranger)),
            (Endpoint(target, is_tls=False), ""),
        ):
            client = GrpcChain(endpoint, TOKEN, authority)
            async with client.opened():
                with pytest.raises(UnknownAnswer):
                    await client.mint(order(), 2.0)
    assert len(place.minting.done) == 1


async def test_files_of_tls_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    with pytest.raises(InvalidSettings, match=r"CHAIN_TLS_KEY: .*nowhere cannot be read"):
        async with place_of((nowhere, nowhere)):
            pass
    client = GrpcChain(Endpoint("127.0.0.1:1", is_tls=True), TOKEN, str(nowhere))
    with pytest.raises(InvalidSettings, match=r"CHAIN_TLS_CA: .*nowhere cannot be read"):
        async with client.opened():
            pass
