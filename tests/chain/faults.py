"""What stands between the adapter and its node, and may lose what goes through: a request, or an answer to one."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum, auto
from typing import Any

import httpx

from tests.chain.posted import LIMIT_S, Posted


class Fault(Enum):
    """What happens to a call."""

    HELD = auto()
    """It is not passed on, and not answered, until the fault ends: then the connection is closed."""
    LOST = auto()
    """It is passed on, and its answer never comes back."""
    UNANSWERED = auto()
    """It is passed on, and not answered until the fault ends: then the connection is closed."""
    REFUSED = auto()
    """The node says no, in words."""


class Between:
    """A proxy before a node. `faults` are by method; of a batch the first call counts."""

    def __init__(self, node_url: str) -> None:
        self.node_url = node_url
        self.words = "the node wants nothing of it"
        self.calls: list[str] = []
        """The methods that came, the first of each request."""
        self._faults: dict[str, Fault] = {}
        self._met: dict[str, threading.Event] = {}
        self._over = threading.Event()
        self._http = httpx.Client(timeout=LIMIT_S, trust_env=False)
        self._posted = Posted(self.answer)
        self.url = self._posted.url

    def fault(self, method: str, fault: Fault) -> threading.Event:
        """Have it happen to each call of the method from now on; the event is set once one has met it."""
        self._over.clear()
        self._faults[method] = fault
        self._met[method] = threading.Event()
        return self._met[method]

    def heal(self) -> None:
        """Pass everything on."""
        self._faults.clear()
        self._over.set()

    def answer(self, body: bytes) -> tuple[int, bytes] | None:
        """The status, and what the node answers; None: nothing, the connection is closed."""
        asked = json.loads(body)
        first = asked[0] if isinstance(asked, list) else asked
        method = first["method"]
        self.calls.append(method)
        fault = self._faults.get(method)
        if fault is Fault.REFUSED:
            self._met[method].set()
            error = {"code": -32000, "message": self.words}
            said = [{"jsonrpc": "2.0", "id": one["id"], "error": error} for one in _calls(asked)]
            return 200, json.dumps(said if isinstance(asked, list) else said[0]).encode()
        if fault is Fault.HELD:
            self._met[method].set()
            self._over.wait(LIMIT_S)
            return None
        try:
            answer = self._http.post(self.node_url, content=body, headers={"Content-Type": "application/json"}).content
        except httpx.HTTPError:
            return None  # the node has gone
        if fault in (Fault.LOST, Fault.UNANSWERED):
            self._met[method].set()
            if fault is Fault.UNANSWERED:
                self._over.wait(LIMIT_S)
            return None
        return 200, answer

    @contextmanager
    def running(self) -> Iterator["Between"]:
        """Stand there meanwhile."""
        with self._posted.running():
            try:
                yield self
            finally:
                self.heal()
        self._http.close()


def _calls(asked: Any) -> list[Any]:
    return asked if isinstance(asked, list) else [asked]
