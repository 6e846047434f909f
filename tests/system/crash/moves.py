"""Clients who send, set aside and hand over, each move until it is known what became of it."""

import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import httpx

from tests.system.crash.deeds import Place
from tests.system.e2e.crowd import Person
from tests.system.teller.asking import ask

PATIENCE_S = 120.0


class Moves:
    """They go on until the end of the block. `done` counts what became known, `odd` what nobody may be told."""

    def __init__(self, at: dict[str, Place], users: Sequence[Person], clients: int = 4) -> None:
        self.done = 0
        self.odd: Counter[object] = Counter()
        self._at = at
        self._users = users
        self._over = threading.Event()
        moves = (self._send, self._hold) * clients
        self._threads = [threading.Thread(target=self._go_on, args=(move, n)) for n, move in enumerate(moves)]

    def __enter__(self) -> "Moves":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(2 * PATIENCE_S)
            assert not thread.is_alive(), "a move never came to an end"

    def _go_on(self, move: Callable[[Person, Person], None], number: int) -> None:
        dice = random.Random(number)
        while not self._over.is_set():
            try:
                move(*dice.sample(self._users, 2))
            except AssertionError as error:
                self.odd[str(error)] += 1
            self.done += 1

    def _send(self, who: Person, to: Person) -> None:
        headers = who.bearer | {"Idempotency-Key": str(uuid.uuid4())}
        body = {"to": str(to.id), "amount": 3, "currency": "USD"}
        url = f"http://127.0.0.1:{self._at['api'].port}/v1/wallet/send"

        def is_known() -> bool:
            answer = httpx.post(url, json=body, headers=headers, timeout=PATIENCE_S)
            if answer.status_code not in (201, 503) or ("Retry-After" in answer.headers) != (answer.status_code == 503):
                self.odd[answer.text] += 1
            return answer.status_code == 201

        _insist(is_known)

    def _hold(self, who: Person, to: Person) -> None:
        """Set money aside, hand part of it over, or forbid it half-way."""
        asked = {"business": str(uuid.uuid4()), "owner": str(who.id), "amount": 5}
        told = self._teller(ask="hold", **asked)
        if "done" not in told:
            self.odd[str(told)] += 1
            return
        closed = self._teller(ask="capture", owner=str(who.id), hold=told["done"][0], parts=[[str(to.id), 2]])
        if closed != {"captured": 2, "released": 3} or self._teller(ask="forbid", **asked) != told:
            self.odd[str(closed)] += 1

    def _teller(self, **asked: Any) -> dict[str, Any]:
        told: dict[str, Any] = {}

        def is_known() -> bool:
            told.clear()
            told.update(ask(self._at["teller"].port, **asked))
            return "unavailable" not in told

        _insist(is_known)
        return told


def _insist(is_known: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            if is_known():
                return
        except (OSError, httpx.HTTPError):
            pass
        time.sleep(0.05)
    raise AssertionError(f"not known within {PATIENCE_S:g} s")
