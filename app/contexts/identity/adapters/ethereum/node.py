"""A node of a chain, asked by JSON-RPC, one request at a time: not a byte of its answers is believed unseen."""

import re
from typing import Any, Final

import httpx
import msgspec
import structlog

from app.kernel.errors import Unavailable
from app.platform.outgoing.breaker import Breaker, BreakerOpenError, BreakerState
from app.platform.outgoing.json_posts import JsonPosts

_log = structlog.get_logger(__name__)

FAILURES: Final = 5
"""In a row, that open the breaker."""
RESET_S: Final = 5.0

_HEX: Final = re.compile("0x(?:[0-9A-Fa-f]{2})*+")
# What nodes say when the contract has failed: "transaction rejected" (EIP-1474), "execution reverted" (Geth, with
# its data), "VM execution error" (Nethermind). By codes that mean anything some tell of it in words.
_CONTRACT_CODES: Final = (3, -32003, -32015)
_ANY_CODES: Final = (-32000, -32603)
_CONTRACT_TEXTS: Final = re.compile(
    "revert|opcode|out ?of ?gas|stack|jump|write protection|return data|VM e(?:rror|xception|xecution)", re.IGNORECASE
)


class CallFailed(Exception):  # noqa: N818 -- an answer, not a fault
    """The node has run the call, and the contract has failed."""


class _Error(msgspec.Struct):
    code: int
    message: str = ""
    data: Any = None


class _Answer(msgspec.Struct):
    id: int
    result: str | None = None
    error: _Error | None = None


_decode = msgspec.json.Decoder(_Answer).decode


class _AwayError(Exception):
    """The node did not answer, or with what is no answer."""


class Node:
    """A node. Calls are over by `deadline`, a time of the running loop; nothing is sent twice."""

    def __init__(self, chain_id: str, url: str, transport: httpx.AsyncBaseTransport) -> None:
        self._posts = JsonPosts(url, transport)

        def tell(state: BreakerState, was: BreakerState) -> None:
            _log.warning("chain_breaker", chain=chain_id, state=state, was=was)

        self._breaker = Breaker(FAILURES, RESET_S, tell=tell)

    async def call(self, method: str, params: list[Any], deadline: float) -> bytes:
        """The bytes that the node answers.

        Raises:
            CallFailed: the contract that was called has failed.
            Unavailable: the node does not answer, or the breaker is open.
        """
        try:
            answer = await self._breaker.call(lambda: self._ask(method, params, deadline), deadline)
        except (_AwayError, BreakerOpenError):
            raise Unavailable("chain") from None
        if answer is None:
            raise CallFailed
        return answer

    async def _ask(self, method: str, params: list[Any], deadline: float) -> bytes | None:
        """The bytes of the answer, or None for a contract that failed: which is no failure of the node's."""
        asked = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        try:
            status, body = await self._posts.send(asked, deadline)
        except (TimeoutError, httpx.TransportError):
            raise _AwayError from None
        if status != 200:
            raise _AwayError
        return _read(body)


def _read(body: bytes) -> bytes | None:
    try:
        answer = _decode(body)
    except (ValueError, RecursionError):  # every msgspec error is a ValueError; deep nesting is not
        raise _AwayError from None
    if answer.error is not None:
        code, message = answer.error.code, answer.error.message
        if code in _CONTRACT_CODES or (code in _ANY_CODES and _CONTRACT_TEXTS.search(message)):
            return None
        raise _AwayError
    if answer.id != 1 or answer.result is None or not _HEX.fullmatch(answer.result):
        raise _AwayError
    return bytes.fromhex(answer.result[2:])
