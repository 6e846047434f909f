"""`python -m bench.clients.watching PLAN`: many who watch an auction, and a few who bid: how late the last is told."""

import asyncio
import gc
import sys
from collections import Counter
from pathlib import Path
from time import perf_counter
from typing import Final, cast

import msgspec
import uvloop

from bench.clients.buying import Connection
from bench.results import percentile

TOLD_LIMIT_S: Final = 20.0
_BID: Final = b"event: bid\n"


class Plan(msgspec.Struct, frozen=True):
    """So many watch the auction, while those in the file (an id and a token a line) bid in turn, so many times a
    second, each once the one before was answered. `run` is a number that no other run over the same service has.
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
        """Answers that were not the wanted ones, and events that did not arrive."""
        return sum(count for status, count in self.statuses.items() if status != 201) + self.untold

    @property
    def rate(self) -> float:
        """Bids a second."""
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
    """Those who bid, in turn, each as much as the last answer says is the least."""

    def __init__(self, connection: Connection, plan: Plan, minimum_bid: int) -> None:
        self._connection, self._plan, self._minimum_bid = connection, plan, minimum_bid
        self._tokens = [line.split()[1] for line in Path(plan.people).read_text(encoding="ascii").splitlines()]
        self.answered_at: list[float] = []
        self.took_s: list[float] = []
        self.statuses: Counter[int] = Counter()

    async def bid(self) -> None:
        """The next."""
        nth = self.statuses.total()
        body = f'{{"amount":{self._minimum_bid}}}'
        request = (
            f"POST /v1/auctions/{self._plan.auction_id}/bids HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: Bearer {self._tokens[nth % len(self._tokens)]}\r\n"
            f"Idempotency-Key: {self._plan.run}-{nth}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        )
        began = perf_counter()
        try:
            status = await self._connection.ask(request.encode())
        except OSError:  # a time-out is one
            status = 0
        self.statuses[status] += 1
        if status == 201:
            self.answered_at.append(perf_counter())
            self.took_s.append(self.answered_at[-1] - began)
            self._minimum_bid = msgspec.json.decode(self._connection.body)["minimum_bid"]


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
    _, connection = await loop.create_connection(Connection, "127.0.0.1", plan.port)
    await connection.ask(f"GET /v1/auctions/{plan.auction_id} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    bidders = Bidders(connection, plan, msgspec.json.decode(connection.body)["minimum_bid"])
    began = perf_counter()
    for nth in range(round(plan.rate * plan.duration_s)):
        await asyncio.sleep(max(0.0, began + nth / plan.rate - perf_counter()))
        await bidders.bid()
    duration_s = perf_counter() - began
    limit = perf_counter() + TOLD_LIMIT_S
    while sum(arrivals.told) < len(bidders.answered_at) * plan.watchers and perf_counter() < limit:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    for watcher in watchers:
        assert watcher.transport is not None
        watcher.transport.close()
    connection.close()
    return _outcome(plan, arrivals, bidders, duration_s)


def _outcome(plan: Plan, arrivals: Arrivals, bidders: Bidders, duration_s: float) -> Outcome:
    bids = len(bidders.answered_at)
    pairs = zip(bidders.answered_at, arrivals.last_at, strict=False)
    late_ms = sorted(max(0.0, told - answered) * 1000 for answered, told in pairs) or [0.0]
    took_ms = sorted(took_s * 1000 for took_s in bidders.took_s) or [0.0]
    return Outcome(
        percentile(late_ms, 50), percentile(late_ms, 99), late_ms[-1], percentile(took_ms, 50), bids, duration_s,
        dict(bidders.statuses), bids * plan.watchers - sum(arrivals.told[:bids]),
    )  # fmt: skip


if __name__ == "__main__":
    gc.disable()  # its pauses would be taken for the service's
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(_main(msgspec.json.decode(sys.argv[1], type=Plan)))))
