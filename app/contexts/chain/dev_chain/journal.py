"""What anvil was told, and in which block it has done that: what has to be done again once it was killed.

A line of the file is a transaction as it was sent, a balance that was set (`["0x…","0x…"]`), or a block and the hashes
of its transactions (`@7 0x… 0x…`), which says as well that all blocks noted before from that number on are no more.
"""

import re
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from eth_utils.crypto import keccak

BALANCE: Final = "anvil_setBalance"
SEND: Final = "eth_sendRawTransaction"
_KEPT: Final = re.compile(f"{SEND}|{BALANCE}".encode())
_HEX: Final = re.compile("0x([0-9a-fA-F]{2})+")


class Block(NamedTuple):
    """A block, and the hashes of what lies in it."""

    number: int
    hash: str
    transactions: tuple[str, ...]


class Deed(NamedTuple):
    """What has to be done again."""

    balance: tuple[str, str] | None
    """Whose, and how much; None for a transaction."""
    raw: str = ""
    is_in_a_block: bool = False
    """Whether it was, and so will be; of others nobody knows."""


class Journal:
    """The file, open."""

    def __init__(self, path: Path) -> None:
        """Open it, or make it.

        Raises:
            OSError: it cannot be had.
        """
        self._file = path.open("a+b", buffering=0)

    def told(self, body: bytes) -> None:
        """Keep what a body of JSON-RPC has the chain do."""
        if _KEPT.search(body) and (lines := _told(body)):
            self._write(lines)

    def noted(self, blocks: list[Block], gone_from: int | None) -> None:
        """Keep in which blocks it lies, all at once; from that number on those that were noted before are no more."""
        lines = [] if gone_from is None else [b"@%d" % gone_from]
        lines += [_block(block) for block in blocks if block.transactions]
        if lines:
            self._write(lines)

    def empty(self) -> None:
        """Nothing has to be done again."""
        self._file.truncate(0)

    def close(self) -> None:
        """Leave the file."""
        self._file.close()

    def deeds(self) -> list[Deed]:
        """What has to be done again: in the order of the blocks, and then what lies in none, as it was sent."""
        self._file.seek(0)
        raws: dict[str, str] = {}
        kept: list[tuple[int, list[str]] | Deed] = []
        last = -1
        for line in self._file.read().split(b"\n")[:-1]:
            text = line.decode("ascii")
            if text.startswith("0x"):
                raws["0x" + keccak(hexstr=text).hex()] = text
            elif text.startswith("@"):
                number, *hashes = text[1:].split(" ")
                if int(number) <= last:
                    kept = [each for each in kept if isinstance(each, Deed) or each[0] < int(number)]
                kept.append((last := int(number), hashes))
            else:
                kept.append(Deed(msgspec.json.decode(line, type=tuple[str, str])))
        deeds: list[Deed] = []
        for each in kept:
            if isinstance(each, Deed):
                deeds.append(each)
            else:
                deeds += [Deed(None, raws.pop(name), is_in_a_block=True) for name in each[1] if name in raws]
        return [*deeds, *(Deed(None, raw) for raw in raws.values())]

    def _write(self, lines: list[bytes]) -> None:
        self._file.write(b"".join(b"%b\n" % line for line in lines))


def _block(block: Block) -> bytes:
    return " ".join((f"@{block.number}", *block.transactions)).encode("ascii")


def _told(body: bytes) -> list[bytes]:
    """What it has the chain do that has to be done again after a kill, a line each: the transactions that it sends, as
    they are written, and balances that it sets, without which what they pay for would not happen again."""
    try:
        asked = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return []
    found = []
    for each in asked if isinstance(asked, list) else [asked]:
        params = each.get("params") if isinstance(each, dict) else None
        if not isinstance(params, list) or not params:
            continue
        if each.get("method") == SEND and _HEX.fullmatch(str(params[0])):
            found.append(str(params[0]).encode("ascii"))
        elif each.get("method") == BALANCE and len(params) == 2 and all(isinstance(part, str) for part in params):
            found.append(msgspec.json.encode(params))
    return found
