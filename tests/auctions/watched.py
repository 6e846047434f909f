"""Somebody who watches an auction, as an EventSource does, and what they were told."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

import httpx
import msgspec

_EVENT = re.compile(r"id: (\d+)\nevent: (\w+)\ndata: (.*)")


class Seen(NamedTuple):
    """An event."""

    id: int
    kind: str
    data: dict[str, Any]


def events_of(text: str) -> list[Seen]:
    """The events in what was sent so far; what is no event has to be a comment, or the time to come back after."""
    seen = []
    for block in text.split("\n\n")[:-1]:
        if found := _EVENT.fullmatch(block):
            seen.append(Seen(int(found[1]), found[2], msgspec.json.decode(found[3])))
        else:
            assert re.fullmatch(r"retry: 1000|:.*|retry: 1000\n:.*", block), block
    return seen


def live(auction_id: UUID) -> str:
    """Where it is watched."""
    return f"/v1/auctions/{auction_id}/live"


def watch(
    client: httpx.Client, auction_id: UUID, last: int | None = None, *, until: int | None = None
) -> Sequence[Seen]:
    """What is told, to its end, or to the event of that number."""
    shown = {} if last is None else {"Last-Event-ID": str(last)}
    text = ""
    with client.stream("GET", live(auction_id), headers=shown) as answer:
        assert answer.status_code == 200, answer.read()
        for piece in answer.iter_text():
            text += piece
            if until is not None and any(seen.id >= until for seen in events_of(text)):
                break
    return events_of(text)
