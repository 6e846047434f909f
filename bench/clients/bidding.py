"""`python -m bench.clients.bidding PLAN`: bidders who outbid one another in one auction, each over a connection."""

import asyncio
import gc
import sys
from collections import Counter
from pathlib import Path
from time import perf_counter
from typing import Final

import msgspec
import uvloop

from bench.clients.buying import Connection
from bench.hall import auction_id
from bench.results import percentile

FULL: Final = 30_000
"""Bids after which everybody goes to the next auction: before it takes no more."""
STEP: Final = 10
"""By how much each bid is higher than the last one that anybody made."""


class Plan(msgspec.Struct, frozen=True):
    """Everybody in the file (an id and a token a line) bids in the auction of that number, and, when it is full, in the
    next one, for so long. `run` is a number that no other run over the same service has.
    """

    port: int
    people: str
    auction: int
    run: int
    duration_s: float


class Outcome(msgspec.Struct, frozen=True):
    """How many bids counted and how long that took; answers by status, with 0 for one that never came; latencies in ms.
    A bid that another overtook on its way is too low, and none of those that counted.
    """

    bids: int
    duration_s: float
    statuses: dict[int, int]
    p50_ms: float
    p99_ms: float

    @property
    def rate(self) -> float:
        """Bids a second."""
        return self.bids / self.duration_s

    @property
    def failed(self) -> int:
        """Answers that were neither."""
        return sum(count for status, count in self.statuses.items() if status not in (201, 409))


class Bidders:
    """All of them: they know what the last of them has bid."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._made = 0
        self.times_s: list[float] = []
        self.statuses: Counter[int] = Counter()

    async def bid(self, connection: Connection, token: str, end: float) -> None:
        """One of them, until that time of `perf_counter`, or until something fails."""
        while perf_counter() < end:
            nth, self._made = self._made, self._made + 1
            auction = auction_id(self._plan.auction + nth // FULL)
            body = f'{{"amount":{1 + (nth % FULL) * STEP}}}'
            request = (
                f"POST /v1/auctions/{auction}/bids HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
                f"Idempotency-Key: {self._plan.run}-{nth}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n{body}"
            )
            began = perf_counter()
            try:
                status = await connection.ask(request.encode())
            except OSError:  # a time-out is one
                status = 0
            self.statuses[status] += 1
            if status == 201:
                self.times_s.append(perf_counter() - began)
            elif status != 409:
                return


async def _main(plan: Plan) -> Outcome:
    loop, bidders = asyncio.get_running_loop(), Bidders(plan)
    tokens = [line.split()[1] for line in Path(plan.people).read_text(encoding="ascii").splitlines()]
    connections = [(await loop.create_connection(Connection, "127.0.0.1", plan.port))[1] for _ in tokens]
    began = perf_counter()
    end = began + plan.duration_s
    await asyncio.gather(*(bidders.bid(*each, end) for each in zip(connections, tokens, strict=True)))
    duration_s = perf_counter() - began
    for connection in connections:
        connection.close()
    times_ms = sorted(time_s * 1_000 for time_s in bidders.times_s) or [0.0]
    return Outcome(
        len(bidders.times_s), duration_s, dict(bidders.statuses), percentile(times_ms, 50), percentile(times_ms, 99)
    )


if __name__ == "__main__":
    gc.disable()  # its pauses would be taken for the service's
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(_main(msgspec.json.decode(sys.argv[1], type=Plan)))))
