"""Accounts that are contracts: whether one takes a signature for its own (ERC-1271), asked of a node of its chain."""

import asyncio
from collections.abc import Mapping
from typing import Final

from app.contexts.identity.adapters.ethereum.node import CallFailed, Node
from app.kernel.errors import Unavailable
from app.platform.outgoing.transport import Http1Transport

WITHIN_S: Final = 3.0
"""Both questions."""
AT_ONCE: Final = 8
"""Signatures that a process asks about at a time. There are connections for as many."""
# What a contract may use to make up its mind: some dozen signatures of its owners', checked without any help. Without a
# limit whoever signs in could bring a contract that never ends, and time out the node for everybody.
_GAS: Final = hex(10_000_000)
# isValidSignature(bytes32,bytes): its selector, and what it answers to a signature that it takes.
_SELECTOR: Final = bytes.fromhex("1626ba7e")
_TAKEN: Final = _SELECTOR.ljust(32, b"\0")


class ChainContracts:
    """The port Contracts, over the nodes by their chain's id. On a chain without a node no account is a contract."""

    def __init__(self, nodes: Mapping[str, Node]) -> None:
        self._nodes = nodes
        self._under_way = 0

    async def accept(self, chain_id: str, address: str, digest: bytes, signature: bytes) -> bool:
        """Whether the address is a contract on that chain that takes the signature for its own.

        Raises:
            Unavailable: the node is out of reach, or asked about enough already.
        """
        node = self._nodes.get(chain_id)
        if node is None:
            return False
        if self._under_way >= AT_ONCE:
            raise Unavailable("chain")
        self._under_way += 1
        try:
            return await _asked(node, address, digest, signature)
        except CallFailed:
            return False
        finally:
            self._under_way -= 1


def make_contracts(urls: Mapping[str, str]) -> ChainContracts:
    """The contracts of the chains whose nodes are at these URLs. Nothing is opened before somebody asks."""
    transport = Http1Transport(connections=AT_ONCE)
    return ChainContracts({chain_id: Node(chain_id, url, transport) for chain_id, url in urls.items()})


async def _asked(node: Node, address: str, digest: bytes, signature: bytes) -> bool:
    deadline = asyncio.get_running_loop().time() + WITHIN_S
    if not await node.call("eth_getCode", [address, "latest"], deadline):
        return False
    call = {"to": address, "data": "0x" + _call_data(digest, signature).hex(), "gas": _GAS}
    answer = await node.call("eth_call", [call, "latest"], deadline)
    return answer[:32] == _TAKEN


def _call_data(digest: bytes, signature: bytes) -> bytes:
    """The call as contracts read it: a word for the digest, one for where the bytes begin, and these, with their length
    before them and filled up to a whole word."""
    padding = bytes(-len(signature) % 32)
    return b"".join([_SELECTOR, digest, _word(64), _word(len(signature)), signature, padding])


def _word(number: int) -> bytes:
    return number.to_bytes(32, "big")
