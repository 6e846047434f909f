"""A node of a chain, as far as anybody here asks it: it knows the code of some accounts, and calls them."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from app.contexts.identity.adapters.ethereum.contracts import ChainContracts, make_contracts
from tests.platform.peers import Peer, RawServer, serving

MAGIC = "0x1626ba7e" + "00" * 28
FAILED = {"code": 3, "message": "execution reverted", "data": "0x08c379a0"}

Contract = Callable[[bytes, bytes], Any]
"""What a contract answers to a digest and a signature: a result, or an error where it is a dict."""


@dataclass
class Chain:
    """What the node answers, and what it was asked. `answers` stand before what it knows, one for each request."""

    contracts: dict[str, Contract] = field(default_factory=dict)
    answers: list[bytes] = field(default_factory=list)
    status: int = 200
    asked: list[dict[str, Any]] = field(default_factory=list)

    async def serve(self, peer: Peer) -> None:
        while True:
            request = json.loads((await peer.read()).partition(b"\r\n\r\n")[2])
            self.asked.append(request)
            await peer.answer(self.status, self.answers.pop(0) if self.answers else self._answer(request))

    def _answer(self, request: dict[str, Any]) -> bytes:
        method, params = request["method"], request["params"]
        assert params[1] == "latest"
        if method == "eth_getCode":
            return reply(result="0x6001" if params[0] in self.contracts else "0x")
        assert method == "eth_call"
        data = bytes.fromhex(params[0]["data"][2:])
        assert data[:4].hex() == "1626ba7e"
        assert len(data) % 32 == 4
        length = int.from_bytes(data[68:100], "big")
        assert data[36:68] == (64).to_bytes(32, "big")
        assert not any(data[100 + length :])
        answer = self.contracts[params[0]["to"]](data[4:36], data[100 : 100 + length])
        return reply(error=answer) if isinstance(answer, dict) else reply(result=answer)


def reply(**more: Any) -> bytes:
    """An answer by JSON-RPC."""
    return json.dumps({"jsonrpc": "2.0", "id": 1, **more}).encode()


@asynccontextmanager
async def node(chain: Chain) -> AsyncIterator[tuple[RawServer, ChainContracts]]:
    """The node, and contracts that are asked of it: chain 1's."""
    async with serving(chain.serve) as server:
        yield server, make_contracts({"1": server.url})
