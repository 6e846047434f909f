"""`eth_getLogs`: what contracts have told, by block, by address and by topics."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from app.contexts.chain.dev_chain import params as read
from app.contexts.chain.dev_chain.chain import Chain
from app.contexts.chain.dev_chain.params import Wrong
from app.contexts.chain.dev_chain.transactions import Refused


def find(chain: Chain, wanted: Mapping[str, Any], number_of: Callable[[Any], int]) -> list[msgspec.Raw]:
    """The logs that the filter lets through, in their order.

    Raises:
        Wrong: a part of the filter is none.
        Refused: there is no such block.
    """
    if (block_hash := wanted.get("blockHash")) is not None:
        row = chain.store.one("SELECT number FROM blocks WHERE hash = ?", read.hash_of(block_hash, "blockHash"))
        if row is None:
            raise Refused("unknown block")
        conditions, values = ["number = ?"], [row[0]]
    else:
        first, last = (number_of(wanted.get(name) or "latest") for name in ("fromBlock", "toBlock"))
        if first > last:
            raise Refused("invalid block range params")
        conditions, values = ["number BETWEEN ? AND ?"], [first, last]
    _one_of("address", [_address(one) for one in _listed(wanted.get("address"))], conditions, values)
    for position, topic in enumerate(_topics(wanted.get("topics"))):
        _one_of(f"topic{position}", [read.hash_of(one, "a topic") for one in _listed(topic)], conditions, values)
    query = f"SELECT shown FROM logs WHERE {' AND '.join(conditions)} ORDER BY number, position"  # noqa: S608
    return [msgspec.Raw(shown) for (shown,) in chain.store.rows(query, values)]


def _one_of(column: str, wanted: list[str], conditions: list[str], values: list[Any]) -> None:
    if wanted:
        conditions.append(f"{column} IN ({', '.join('?' * len(wanted))})")
        values += wanted


def _address(value: Any) -> str:
    return read.address(value, "an address of the filter")


def _topics(value: Any) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > 4:
        raise Wrong("topics are no list of four at most")
    return value


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
