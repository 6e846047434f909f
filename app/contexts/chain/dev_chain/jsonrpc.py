"""JSON-RPC 2.0: one request or a batch of them, each answered, whatever is wrong with it."""

import logging
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from app.contexts.chain.dev_chain.methods import Method, Reverted
from app.contexts.chain.dev_chain.params import Wrong
from app.contexts.chain.dev_chain.shown import data
from app.contexts.chain.dev_chain.transactions import Refused

_log: Final = logging.getLogger(__name__)
_MOST_AT_ONCE: Final = 1_000


def answer(body: bytes, methods: Mapping[str, Method]) -> bytes:
    """The answer to a body."""
    try:
        asked = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return msgspec.json.encode(_failed(None, -32700, "parse error"))
    if isinstance(asked, list):
        if not 0 < len(asked) <= _MOST_AT_ONCE:
            return msgspec.json.encode(_failed(None, -32600, f"a batch has 1 to {_MOST_AT_ONCE} requests"))
        return msgspec.json.encode([_one(each, methods) for each in asked])
    return msgspec.json.encode(_one(asked, methods))


def _one(asked: Any, methods: Mapping[str, Method]) -> dict[str, Any]:
    if not isinstance(asked, dict) or not isinstance(asked.get("method"), str):
        return _failed(None, -32600, "invalid request")
    number, method, params = asked.get("id"), methods.get(asked["method"]), asked.get("params", [])
    if method is None:
        return _failed(number, -32601, f"the method {asked['method']} does not exist/is not available")
    if not isinstance(params, list):
        return _failed(number, -32602, "params are no list")
    try:
        return {"jsonrpc": "2.0", "id": number, "result": method(params)}
    except Wrong as error:
        return _failed(number, -32602, f"invalid params: {error}")
    except Refused as error:
        return _failed(number, -32000, str(error))
    except Reverted as error:
        return _failed(number, 3, str(error), data(error.output))
    except Exception as error:
        _log.exception("%s", asked["method"])
        return _failed(number, -32603, f"internal error: {type(error).__name__}")


def _failed(number: Any, code: int, message: str, what: str | None = None) -> dict[str, Any]:
    error = {"code": code, "message": message} | ({"data": what} if what is not None else {})
    return {"jsonrpc": "2.0", "id": number, "error": error}
