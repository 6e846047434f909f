"""The token's contract as a node sees it: what calls and events of it are in bytes, and what is deployed.

Numbers, addresses and texts are encoded as the ABI has them: words of 32 bytes. Addresses are `0x` and 40 hexadecimal
digits, in lower case where they are answered.
"""

import uuid
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

ARTEFACT: Final = Path(__file__).parents[2] / "contract/cashback_token.json"
"""What the compiler has made of the source beside it."""

MINTED: Final = "0x1a49076e0e8c733171c5360d78c9ae8e19fef5a0720b926e72f78b7cc37618cd"
"""The first topic of `Minted(bytes32,address,uint256)`; the second is the request's id, the third the receiver."""

_MINT: Final = bytes.fromhex("7ed9db59")
_BALANCE_OF: Final = bytes.fromhex("70a08231")
_KNOWN: Final = bytes.fromhex("1f414f7f")
_SET_MINTER: Final = bytes.fromhex("fca3b5aa")
TOTAL_SUPPLY: Final = "0x18160ddd"
"""Calls without arguments, as `data` of an `eth_call`."""
DECIMALS: Final = "0x313ce567"
MINTER: Final = "0x07546172"
OWNER: Final = "0x8da5cb5b"

_ERROR: Final = bytes.fromhex("08c379a0")
"""`Error(string)`: what a refusal with a reason begins with."""

REQUEST_KNOWN: Final = "request known"
"""Why a request is refused that was minted for before."""


class Minted(NamedTuple):
    """An event: tokens made for a request."""

    request_id: uuid.UUID | None
    """None where the word is no UUID's: that one is a request of nobody's here."""
    to: str
    amount: int


class Artefact(msgspec.Struct, frozen=True):
    """What the compiler has made, and of what."""

    contract: str
    compiler: str
    evm_version: str
    source_sha256: str
    abi: list[dict[str, Any]]
    bytecode: str
    """What makes the contract, before its constructor's arguments."""


@cache
def artefact() -> Artefact:
    """The compiled contract, as it was committed."""
    return msgspec.json.decode(ARTEFACT.read_bytes(), type=Artefact)


def deployment(name: str, symbol: str, decimals: int, owner: str, minter: str) -> str:
    """The `data` of a transaction that makes the contract; `owner` says who mints after `minter`.

    Raises:
        ValueError: the name is longer than 64 bytes, the symbol than 16, or the decimals are not a byte.
    """
    texts = [_text("name", name, 64), _text("symbol", symbol, 16)]
    places = [_number(5 * 32), _number(5 * 32 + len(texts[0]))]
    words = [*places, _number(_byte(decimals)), _address(owner), _address(minter), *texts]
    return artefact().bytecode + b"".join(words).hex()


def minting(request_id: uuid.UUID, to: str, amount: int) -> str:
    """The `data` of a transaction that mints."""
    return _call(_MINT, _request(request_id), _address(to), _number(amount))


def minter_change(minter: str) -> str:
    """The `data` of an owner's transaction that makes another the minter."""
    return _call(_SET_MINTER, _address(minter))


def balance_of(holder: str) -> str:
    """The `data` of an `eth_call` that asks for a balance."""
    return _call(_BALANCE_OF, _address(holder))


def known(request_id: uuid.UUID) -> str:
    """The `data` of an `eth_call` that asks whether a request was minted for."""
    return _call(_KNOWN, _request(request_id))


def request_topic(request_id: uuid.UUID) -> str:
    """The second topic of the event for this request."""
    return "0x" + _request(request_id).hex()


def read_minted(log: Mapping[str, Any]) -> Minted:
    """The event that a node tells of as a log whose first topic is MINTED.

    Raises:
        ValueError: it is no such event.
    """
    topics, data = log.get("topics"), log.get("data")
    if not isinstance(topics, Sequence) or len(topics) != 3 or topics[0] != MINTED:
        raise ValueError("not a Minted event")
    request, to, amount = (_word(one) for one in (topics[1], topics[2], data))
    if any(to[:12]):
        raise ValueError("not an address")
    return Minted(None if any(request[16:]) else uuid.UUID(bytes=request[:16]), f"0x{to[12:].hex()}", _int(amount))


def read_number(answer: str) -> int:
    """A number, or a truth (0 or 1), that a call has answered.

    Raises:
        ValueError: it is not one word: there is another contract, or none.
    """
    return _int(_word(answer))


def read_address(answer: str) -> str:
    """An address that a call has answered.

    Raises:
        ValueError: it is none.
    """
    word = _word(answer)
    if any(word[:12]):
        raise ValueError("not an address")
    return f"0x{word[12:].hex()}"


def refusal(data: object) -> str | None:
    """The contract's reason, from the `data` of a node's error; None where it gave none."""
    try:
        content = _bytes(data)
    except ValueError:
        return None
    if content[:4] != _ERROR or len(content) < 68:
        return None
    length = _int(content[36:68])
    return content[68 : 68 + length].decode("utf-8", "replace") if length <= len(content) - 68 else None


def _call(selector: bytes, *words: bytes) -> str:
    return "0x" + selector.hex() + b"".join(words).hex()


def _request(request_id: uuid.UUID) -> bytes:
    return request_id.bytes.ljust(32, b"\0")


def _address(address: str) -> bytes:
    content = _bytes(address)
    if len(content) != 20:
        raise ValueError("an address has 20 bytes")
    return content.rjust(32, b"\0")


def _number(number: int) -> bytes:
    return number.to_bytes(32, "big")


def _byte(number: int) -> int:
    if not 0 <= number <= 255:
        raise ValueError("decimals are from 0 to 255")
    return number


def _text(what: str, text: str, most_bytes: int) -> bytes:
    content = text.encode()
    if len(content) > most_bytes:
        raise ValueError(f"the {what} has more than {most_bytes} bytes")
    return _number(len(content)) + content.ljust(-(-len(content) // 32) * 32, b"\0")


def _word(text: object) -> bytes:
    content = _bytes(text)
    if len(content) != 32:
        raise ValueError("not one word")
    return content


def _bytes(text: object) -> bytes:
    if not isinstance(text, str) or not text.startswith("0x"):
        raise ValueError("not in hexadecimal")
    return bytes.fromhex(text[2:])


def _int(word: bytes) -> int:
    return int.from_bytes(word, "big")
