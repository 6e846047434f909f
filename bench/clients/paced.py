"""`python -m bench.clients.paced PLAN`: requests at a given pace, or by so many who wait for nothing but the answer.

With a pace every request has a time at which it is meant to leave, and its latency counts from then: a service that
halts makes all wait who would have come meanwhile, so none of them is left out (no coordinated omission).
"""

import asyncio
import gc
import sys
from collections import Counter, deque
from time import perf_counter  # uvloop's own clock counts whole milliseconds
from typing import Final, cast

import msgspec
import uvloop

from bench.filling_rows import user_id
from bench.results import percentile

END_LIMIT_S: Final = 60.0


class Plan(msgspec.Struct, frozen=True):
    """What to send. A `rate` of 0 a second means: whoever has an answer sends the next at once.

    With `reads` it is balances that are asked for, not payments.
    """

    port: int
    wallets: int
    provider_id: str
    api_key: str
    run: str
    connections: int
    rate: float
    duration_s: float
    reads: bool = False


class Outcome(msgspec.Struct, frozen=True):
    """What came of it: answers by status, requests without one, latencies in ms, and the rate reached."""

    statuses: dict[int, int]
    lost: int
    p50_ms: float
    p99_ms: float
    p999_ms: float
    worst_ms: float
    rate: float


class Connection(asyncio.Protocol):
    """One request at a time over a connection that stays open."""

    def __init__(self, load: "Load") -> None:
        self._load = load
        self._buffer = b""
        self._transport: asyncio.Transport | None = None
        self.meant_at = 0.0
        self.first_at = 0.0
        self.last_at = 0.0
        self.answered = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one, but not by inheritance

    def send(self, request: bytes, meant_at: float) -> None:
        """Send a request that was meant to leave then, a time of `perf_counter`."""
        assert self._transport is not None
        self.meant_at = meant_at
        self.first_at = self.first_at or meant_at
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, body = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return
        _, found, rest = head.lower().partition(b"content-length:")
        if not found:
            raise ValueError(f"an answer without a length: {head!r}")
        if len(body) < int(rest.partition(b"\r\n")[0]):
            return
        self._buffer = b""
        self.last_at = perf_counter()
        self.answered += 1
        self._load.answered(self, int(head[9:12]), self.last_at - self.meant_at)

    def connection_lost(self, _: Exception | None) -> None:
        self._load.lost(self)

    def close(self) -> None:
        assert self._transport is not None
        self._transport.close()


class Load:
    """The requests of a plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._users = [str(user_id(nth)) for nth in range(plan.wallets)]
        self._loop = asyncio.get_running_loop()
        self._connections: list[Connection] = []
        self._idle: list[Connection] = []
        self._late: deque[float] = deque()
        self._under_way = 0
        self._sent = 0
        self._until = 0.0
        self._latencies_s: list[float] = []
        self._statuses: Counter[int] = Counter()

    async def run(self) -> Outcome:
        """Send them all, and wait for the answers."""
        for _ in range(self._plan.connections):
            _, connection = await self._loop.create_connection(lambda: Connection(self), "127.0.0.1", self._plan.port)
            self._connections.append(connection)
        self._idle = list(self._connections)
        began = perf_counter()
        self._until = began + self._plan.duration_s
        if self._plan.rate:
            await self._pace(began)
        else:
            for connection in self._connections:
                self._send(connection, began)
            await asyncio.sleep(self._plan.duration_s)
        limit = perf_counter() + END_LIMIT_S  # what has no answer by then is lost
        while (self._under_way or self._late) and perf_counter() < limit:  # noqa: ASYNC110 -- many callbacks end it
            await asyncio.sleep(0.01)
        return self._outcome(began)

    def answered(self, connection: Connection, status: int, latency_s: float) -> None:
        """Note an answer, and send what waited for a connection."""
        self._under_way -= 1
        self._statuses[status] += 1
        self._latencies_s.append(latency_s)
        if self._late:
            self._send(connection, self._late.popleft())
        elif not self._plan.rate and perf_counter() < self._until:
            self._send(connection, perf_counter())
        else:
            self._idle.append(connection)

    def lost(self, connection: Connection) -> None:
        """Do without a connection."""
        if connection in self._idle:
            self._idle.remove(connection)

    async def _pace(self, began: float) -> None:
        for nth in range(round(self._plan.rate * self._plan.duration_s)):
            meant_at = began + nth / self._plan.rate
            wait_s = meant_at - perf_counter()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            if self._idle:
                self._send(self._idle.pop(), meant_at)
            else:
                self._late.append(meant_at)

    def _send(self, connection: Connection, meant_at: float) -> None:
        self._under_way += 1
        self._sent += 1
        connection.send(self._request(), meant_at)

    def _request(self) -> bytes:
        plan = self._plan
        # A prime: the wallets come one after the other, but not side by side.
        user = self._users[self._sent * 7919 % len(self._users)]
        if plan.reads:
            return (
                f"GET /wallets/{user}/balance HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: {plan.api_key}\r\n\r\n".encode()
            )
        body = (
            f'{{"provider_id":"{plan.provider_id}","external_reference":"bill 7",'
            f'"amount":{1000 + self._sent % 9000},"currency":"USD"}}'
        )
        return (
            f"POST /wallets/{user}/payments HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"X-API-Key: {plan.api_key}\r\nIdempotency-Key: {plan.run}-{self._sent}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        ).encode()

    def _outcome(self, began: float) -> Outcome:
        answered = sum(self._statuses.values())
        lost = self._sent + len(self._late) - answered
        rate = sum(c.answered / (c.last_at - c.first_at) for c in self._connections if c.answered)
        if self._plan.rate:
            rate = answered / (max(c.last_at for c in self._connections) - began)
        times_ms = sorted(latency_s * 1000 for latency_s in self._latencies_s)
        for connection in self._connections:
            connection.close()
        p50_ms, p99_ms, p999_ms = (percentile(times_ms, percent) for percent in (50, 99, 99.9))
        return Outcome(dict(self._statuses), lost, p50_ms, p99_ms, p999_ms, times_ms[-1], rate)


async def _main(plan: Plan) -> Outcome:
    return await Load(plan).run()


if __name__ == "__main__":
    gc.disable()  # its pauses would be taken for the service's
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(_main(msgspec.json.decode(sys.argv[1], type=Plan)))))
