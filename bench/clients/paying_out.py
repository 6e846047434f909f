"""`python -m bench.clients.paying_out PLAN`: people who each pay out to a thousand others at once, in turn."""

import asyncio
import sys
from collections import Counter
from pathlib import Path
from time import perf_counter

import msgspec
import uvloop

from bench.clients.buying import Connection


class Plan(msgspec.Struct, frozen=True):
    """Of the people in the file (an id and a token a line) some, over a connection each, pay out to so many others at
    once, for so long, each to people of their own. `run` is a number that no other run over the same service has.
    """

    port: int
    people: str
    connections: int
    transfers: int
    run: int
    duration_s: float


class Outcome(msgspec.Struct, frozen=True):
    """How many transfers were done, and how long that took; answers by status, with 0 for one that never came."""

    transfers: int
    duration_s: float
    statuses: dict[int, int]

    @property
    def rate(self) -> float:
        """Transfers a second."""
        return self.transfers / self.duration_s

    @property
    def failed(self) -> int:
        """Answers that were not the wanted one."""
        return sum(count for status, count in self.statuses.items() if status != 201)


class Payer:
    """Somebody who pays out, to the next of the own people whenever it is done."""

    def __init__(self, nth: int, people: list[tuple[str, str]], plan: Plan) -> None:
        self._nth, self._plan = nth, plan
        _, self._token = people[0]
        self._others = [to for to, _ in people[1:]]
        self._next = 0
        self.statuses: Counter[int] = Counter()

    async def until(self, end: float) -> None:
        """Pay out until that time of `perf_counter`."""
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(Connection, "127.0.0.1", self._plan.port)
        try:
            while perf_counter() < end:
                try:
                    self.statuses[await connection.ask(self._request())] += 1
                except OSError:  # a time-out is one
                    self.statuses[0] += 1
                    return
        finally:
            connection.close()

    def _request(self) -> bytes:
        lines = []
        for _ in range(self._plan.transfers):
            self._next += 1
            to = self._others[self._next % len(self._others)]
            lines.append(f'{{"to":"{to}","amount":1,"currency":"USD"}}')
        body = f'{{"mode":"all","transfers":[{",".join(lines)}]}}'
        key = f"{self._plan.run}-{self._nth}-{self._next}"
        return (
            f"POST /v1/wallet/send/bulk HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self._token}\r\n"
            f"Idempotency-Key: {key}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        ).encode()


async def _main(plan: Plan) -> Outcome:
    lines = Path(plan.people).read_text(encoding="ascii").splitlines()
    people = [(line.split()[0], line.split()[1]) for line in lines]
    each = len(people) // plan.connections
    payers = [Payer(nth, people[nth * each : (nth + 1) * each], plan) for nth in range(plan.connections)]
    began = perf_counter()
    await asyncio.gather(*(payer.until(began + plan.duration_s) for payer in payers))
    duration_s = perf_counter() - began
    statuses = sum((payer.statuses for payer in payers), Counter[int]())
    return Outcome(statuses[201] * plan.transfers, duration_s, dict(statuses))


if __name__ == "__main__":
    plan = msgspec.json.decode(sys.argv[1], type=Plan)
    print(msgspec.json.encode(uvloop.run(_main(plan))).decode())
