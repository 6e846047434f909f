"""`python -m bench.clients.watching PLAN`: many who watch an auction, and a few who bid: how late the last is told."""

import asyncio
import gc
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Final, cast

import msgspec
import uvloop

from bench.clients.buying import Connection
from bench.results import percentile

TOLD_LIMIT_S: Final = 60.0
AT_ONCE: Final = 200
"""Bids under way at the most. One more is lost."""
RISE: Final = 10
"""What a bid is more than the one before, in minor units: more than the step between them is to be."""
MADE: Final = 201
TAKEN: Final = (MADE, 409)
_BID: Final = b"event: bid\n"


class Plan(msgspec.Struct, frozen=True):
    """So many watch the auction, while those in the file (an id and a token a line) bid in turn, so many times a
    second. `run` is a number that no other run over the same service has.
    """

    port: int
    auction_id: str
    people: str
    watchers: int
    rate: float
    run: int
    duration_s: float


class Outcome(msgspec.Struct, frozen=True):
    """How late the last watcher was told of a bid, from its answer on, in ms (0 where all knew before); answers by
    status, with 0 for one that never came; how often a watcher was not told.
    """

    p50_ms: float
    p99_ms: float
    worst_ms: float
    answer_p50_ms: float
    bids: int
    duration_s: float
    statuses: dict[int, int]
    untold: int

    @property
    def failed(self) -> int:
        """Answers that were not the wanted ones, and events that did not arrive. A bid that was overtaken by the next
        one, and so is too low, is neither."""
        return sum(count for status, count in self.statuses.items() if status not in TAKEN) + self.untold

    @property
    def rate(self) -> float:
        """Bids a second that counted."""
        return self.bids / self.duration_s


class Arrivals:
    """When how many watchers had been told of the nth bid."""

    def __init__(self) -> None:
        self.told: list[int] = []
        self.last_at: list[float] = []

    def note(self, nth: int) -> None:
        """One more was."""
        while len(self.told) <= nth:
            self.told.append(0)
            self.last_at.append(0.0)
        self.told[nth] += 1
        self.last_at[nth] = perf_counter()


class Watcher(asyncio.Protocol):
    """Somebody who watches. Events are counted: they come in order."""

    def __init__(self, arrivals: Arrivals) -> None:
        self._arrivals = arrivals
        self._tail = b""
        self._seen = 0
        self.began = asyncio.get_running_loop().create_future()
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is one, but not by inheritance

    def data_received(self, data: bytes) -> None:
        if not self.began.done():
            self.began.set_result(None)
        told = self._tail + data
        for _ in range(told.count(_BID)):
            self._arrivals.note(self._seen)
            self._seen += 1
        self._tail = told[-len(_BID) + 1 :]


class Bidders:
    """Those who bid, in turn, each more than the one before: at a pace, whatever has become of those before."""

    def __init__(self, connections: Sequence[Connection], plan: Plan, minimum_bid: int) -> None:
        self._idle, self._plan, self._minimum_bid = [*connections], plan, minimum_bid
        self._tokens = [line.split()[1] for line in Path(plan.people).read_text(encoding="ascii").splitlines()]
        self.answered_at: dict[int, float] = {}
        """By the bid's sequence."""
        self.took_s: list[float] = []
        self.statuses: Counter[int] = Counter()

    async def bid(self, nth: int) -> None:
        """The nth, over a connection of its own."""
        if not self._idle:
            self.statuses[0] += 1
            return
        connection = self._idle.pop()
        body = f'{{"amount":{self._minimum_bid + nth * RISE}}}'
        request = (
            f"POST /v1/auctions/{self._plan.auction_id}/bids HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: Bearer {self._tokens[nth % len(self._tokens)]}\r\n"
            f"Idempotency-Key: {self._plan.run}-{nth}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        )
        began = perf_counter()
        try:
            status = await connection.ask(request.encode())
        except OSError:  # a time-out is one
            self.statuses[0] += 1
            return
        self._idle.append(connection)
        self.statuses[status] += 1
        if status == MADE:
            now = perf_counter()
            self.answered_at[msgspec.json.decode(connection.body)["sequence"]] = now
            self.took_s.append(now - began)


async def _main(plan: Plan) -> Outcome:
    loop = asyncio.get_running_loop()
    arrivals, watchers = Arrivals(), list[Watcher]()
    live = f"GET /v1/auctions/{plan.auction_id}/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    for _ in range(plan.watchers):
        _, watcher = await loop.create_connection(lambda: Watcher(arrivals), "127.0.0.1", plan.port)
        assert watcher.transport is not None
        watcher.transport.write(live)
        watchers.append(watcher)
    await asyncio.gather(*(watcher.began for watcher in watchers))
    connections = [(await loop.create_connection(Connection, "127.0.0.1", plan.port))[1] for _ in range(AT_ONCE)]
    await connections[0].ask(f"GET /v1/auctions/{plan.auction_id} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    stands = msgspec.json.decode(connections[0].body)
    bidders = Bidders(connections, plan, stands["minimum_bid"])
    began = perf_counter()
    async with asyncio.TaskGroup() as bids:
        for nth in range(round(plan.rate * plan.duration_s)):
            await asyncio.sleep(max(0.0, began + nth / plan.rate - perf_counter()))
            bids.create_task(bidders.bid(nth))
    duration_s = perf_counter() - began
    limit = perf_counter() + TOLD_LIMIT_S
    while sum(arrivals.told) < len(bidders.answered_at) * plan.watchers and perf_counter() < limit:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    for watcher in watchers:
        assert watcher.transport is not None
        watcher.transport.close()
    for connection in connections:
        connection.close()
    return _outcome(plan, arrivals, bidders, duration_s)


def _outcome(plan: Plan, arrivals: Arrivals, bidders: Bidders, duration_s: float) -> Outcome:
    bids = len(bidders.answered_at)
    pairs = zip(sorted(bidders.answered_at), arrivals.last_at, strict=False)
    late_ms = sorted(max(0.0, told - bidders.answered_at[nth]) * 1000 for nth, told in pairs) or [0.0]
    took_ms = sorted(took_s * 1000 for took_s in bidders.took_s) or [0.0]
    return Outcome(
        percentile(late_ms, 50), percentile(late_ms, 99), late_ms[-1], percentile(took_ms, 50), bids, duration_s,
        dict(bidders.statuses), bids * plan.watchers - sum(arrivals.told[:bids]),
    )  # fmt: skip


if __name__ == "__main__":
    gc.disable()  # its pauses would be taken for the service's
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(_main(msgspec.json.decode(sys.argv[1], type=Plan)))))
