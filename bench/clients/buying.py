"""`python -m bench.clients.buying PLAN`: buyers, each of whom puts something into the cart, and checks out, in turn."""

import asyncio
import gc
import random
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Final, NamedTuple, cast

import msgspec
import uvloop

from bench.results import percentile
from bench.shelf import price_minor, product_id

ANSWER_LIMIT_S: Final = 60.0


class Plan(msgspec.Struct, frozen=True):
    """Everybody in the file (an id and a token a line) buys, over a connection each, a piece of one of so many products
    at a time, for so long. `run` is a number that no other run over the same service has.
    """

    port: int
    people: str
    products: int
    run: int
    duration_s: float


class Outcome(msgspec.Struct, frozen=True):
    """How many carts became orders and how long that took; answers by status, with 0 for one that never came; latencies
    in ms.
    """

    checkouts: int
    duration_s: float
    statuses: dict[int, int]
    cart_p50_ms: float
    order_p50_ms: float
    order_p99_ms: float

    @property
    def rate(self) -> float:
        """Checkouts a second."""
        return self.checkouts / self.duration_s

    @property
    def failed(self) -> int:
        """Answers that were not the wanted one."""
        return sum(count for status, count in self.statuses.items() if status != 201)


class Times(NamedTuple):
    """How long a buyer waited for a cart, and for its orders, in seconds."""

    cart_s: float
    order_s: float


class Connection(asyncio.Protocol):
    """One request at a time over a connection that stays open."""

    def __init__(self) -> None:
        self._buffer = b""
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[int] | None = None
        self.body = b""
        """Of the last answer."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one, but not by inheritance

    async def ask(self, request: bytes) -> int:
        """The status of the answer."""
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        async with asyncio.timeout(ANSWER_LIMIT_S):
            return await self._answer

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, body = self._buffer.partition(b"\r\n\r\n")
        if not end or self._answer is None:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(body) >= length:
            self._buffer, self.body = b"", body
            self._answer.set_result(int(head[9:12]))

    def connection_lost(self, error: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error or ConnectionResetError("the service hung up"))

    def close(self) -> None:
        assert self._transport is not None
        self._transport.close()


class Buyer:
    """Somebody who buys."""

    def __init__(self, connection: Connection, nth: int, token: str, plan: Plan) -> None:
        self._connection, self._nth, self._token, self._plan = connection, nth, token, plan
        self._random = random.Random(plan.run * 1_000 + nth)  # noqa: S311 -- the same products in every run
        self.times: list[Times] = []
        self.statuses: Counter[int] = Counter()

    async def until(self, end: float) -> None:
        """Buy until that time of `perf_counter`, or until something fails. What is in the cart is paid for."""
        while perf_counter() < end:
            product = self._random.randrange(self._plan.products)
            began = perf_counter()
            item = f'{{"product_id":"{product_id(product)}","qty":1}}'
            if not await self._is_made("/v1/cart/items", item):
                return
            filled = perf_counter()
            key = f"Idempotency-Key: {self._plan.run}-{self._nth}-{len(self.times)}\r\n"
            if not await self._is_made("/v1/orders", f'{{"expected_total":{price_minor(product)}}}', key):
                return
            self.times.append(Times(filled - began, perf_counter() - filled))

    async def _is_made(self, path: str, body: str, headers: str = "") -> bool:
        request = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self._token}\r\n{headers}"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        )
        try:
            status = await self._connection.ask(request.encode())
        except OSError:  # a time-out is one
            status = 0
        self.statuses[status] += 1
        return status == 201


async def _main(plan: Plan) -> Outcome:
    loop = asyncio.get_running_loop()
    tokens = [line.split()[1] for line in Path(plan.people).read_text(encoding="ascii").splitlines()]
    connections = [(await loop.create_connection(Connection, "127.0.0.1", plan.port))[1] for _ in tokens]
    buyers = [Buyer(*each, plan) for each in zip(connections, range(len(tokens)), tokens, strict=True)]
    began = perf_counter()
    await asyncio.gather(*(buyer.until(began + plan.duration_s) for buyer in buyers))
    duration_s = perf_counter() - began
    for connection in connections:
        connection.close()
    return _outcome(buyers, duration_s)


def _outcome(buyers: Sequence[Buyer], duration_s: float) -> Outcome:
    times = [each for buyer in buyers for each in buyer.times]
    carts_ms, orders_ms = sorted(each.cart_s * 1_000 for each in times), sorted(each.order_s * 1_000 for each in times)
    statuses = sum((buyer.statuses for buyer in buyers), Counter[int]())
    return Outcome(
        len(times), duration_s, dict(statuses),
        _percentile(carts_ms, 50), _percentile(orders_ms, 50), _percentile(orders_ms, 99),
    )  # fmt: skip


def _percentile(sorted_ms: Sequence[float], percent: float) -> float:
    return percentile(sorted_ms, percent) if sorted_ms else 0.0


if __name__ == "__main__":
    gc.disable()  # its pauses would be taken for the service's
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(_main(msgspec.json.decode(sys.argv[1], type=Plan)))))
