"""Clients in numbers."""

import asyncio
import threading
import time
import uuid
from collections import Counter

import httpx

from app.platform.http.limits import LAST_CALL_S
from tests.system.crash.fragile import Fragile
from tests.system.e2e.house import LIMIT_S

_HEARD = "SELECT key FROM idempotency_keys WHERE key = %s"


class Load:
    """Clients that pay one after the other; what has no final answer is sent again with its key, as clients should."""

    def __init__(self, house: Fragile, users: list[uuid.UUID], clients: int = 8, name: str = "load") -> None:
        self.first_answers: Counter[object] = Counter()
        self.approved_at: list[float] = []
        self.slowest_s = 0.0
        self.hints_missing = 0
        self._house = house
        self._users = users
        self._name = name
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._pay, args=(n,)) for n in range(clients)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(2 * LIMIT_S)
            assert not thread.is_alive(), "a payment never came to an end"

    def _pay(self, client: int) -> None:
        number = 0
        with httpx.Client(timeout=LIMIT_S) as connection:
            while not self._over.is_set():
                number += 1
                user_id = self._users[(client + number) % len(self._users)]
                request = self._house.payment(user_id, 1, f"{self._name}-{client}-{number}")
                self._insist(connection, request)

    def _insist(self, connection: httpx.Client, request: dict[str, object]) -> None:
        first = True
        deadline = time.monotonic() + LIMIT_S
        while time.monotonic() < deadline:
            began = time.monotonic()
            try:
                answer = connection.post(**request)  # type: ignore[arg-type]
                said: object = answer.status_code
            except httpx.HTTPError as error:
                said = type(error).__name__
            self.slowest_s = max(self.slowest_s, time.monotonic() - began)
            if first:
                self.first_answers[said] += 1
                first = False
            if said == 503 and "Retry-After" not in answer.headers:
                self.hints_missing += 1
            if said == 201:
                self.approved_at.append(time.monotonic())
                return
            if said in (502, 504) and answer.json()["error"]["details"]["status"] == "FAILED":
                return
            time.sleep(0.2)
        raise AssertionError(f"no final answer within {LIMIT_S:g} s")


async def clients_through_a_sigterm(house: Fragile, users: list[uuid.UUID], clients: int) -> Counter[object]:
    """Pay, each client on the connection of before, until the API has ended; what they were answered, or met."""
    said: Counter[object] = Counter()
    enough = asyncio.Event()
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=clients)

    async def client(number: int, connections: httpx.AsyncClient) -> None:
        answered = time.monotonic()
        for n in range(1_000_000):
            key = f"kept-{number}-{n}"
            try:
                answer = await connections.post(**house.payment(users[number % len(users)], 1, key))
            except httpx.ConnectError:
                said["refused"] += 1  # a connection that is refused took nothing from anyone
                return
            except httpx.TransportError as error:
                # A machine that halts makes a client too late for the last call; what it asked for was never heard.
                is_late = time.monotonic() > answered + LAST_CALL_S
                said["late" if is_late and not house.query(_HEARD, key) else repr(error)] += 1
                return
            answered = time.monotonic()
            said[answer.status_code] += 1
            if said[201] >= 100:
                enough.set()

    async with httpx.AsyncClient(timeout=LIMIT_S, limits=limits) as connections:
        tasks = [asyncio.create_task(client(number, connections)) for number in range(clients)]
        await asyncio.wait_for(enough.wait(), LIMIT_S)
        house.processes["api"].terminate()
        await asyncio.wait_for(asyncio.gather(*tasks), LIMIT_S)
    return said


async def newcomers_through_a_sigterm(house: Fragile, user_id: uuid.UUID) -> Counter[object]:
    """Pay some hundred times a second, more than the API can take, each time on a new connection, before and after
    the API is told to end; what the clients were answered, or met."""
    said: Counter[object] = Counter()
    newcomers: list[asyncio.Task[None]] = []
    for round_ in range(120):
        newcomers.extend(asyncio.create_task(_newcomer(house, user_id, said)) for _ in range(6))
        if round_ == 60:
            house.processes["api"].terminate()
        await asyncio.sleep(0.01)
    await asyncio.wait_for(asyncio.gather(*newcomers), LIMIT_S)
    return said


async def _newcomer(house: Fragile, user_id: uuid.UUID, said: Counter[object]) -> None:
    key = str(uuid.uuid4())
    request = httpx.Request("POST", **house.payment(user_id, 1, key))
    head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    began = time.monotonic()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", house.ports["HTTP_PORT"])
    except ConnectionRefusedError:
        said["refused"] += 1
        return
    try:
        writer.write(f"POST {request.url.path} HTTP/1.1\r\nConnection: close\r\n{head}\r\n".encode() + request.content)
        is_late = time.monotonic() > began + LAST_CALL_S  # a machine that halts makes a newcomer so, too
        met: object = int(answer[9:12]) if (answer := await _all_of(reader)) else "hung up on"
        said["late" if not answer and is_late and not house.query(_HEARD, key) else met] += 1
    finally:
        writer.close()


async def _all_of(reader: asyncio.StreamReader) -> bytes:
    """The answer; nothing where it is reset."""
    try:
        return await reader.read()
    except ConnectionError:
        return b""
