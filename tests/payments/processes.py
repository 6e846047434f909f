"""Processes that are driven by hand, from one point where they could be interrupted to the next."""

from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from app.contexts.payments.application.request import PaymentRequest
from app.contexts.payments.domain.ids import PaymentId
from app.kernel.errors import Unavailable
from app.kernel.refusals import Refusal
from tests.fakes.gateway import Mishap
from tests.fakes.unsteady_books import Fate

MANY_TURNS = 500

Fates = tuple[Fate | Mishap | None, ...]

fates = st.tuples(st.sampled_from([None, None, None, None, *Fate]), st.sampled_from([None, None, None, *Mishap]))


@dataclass(eq=False)
class Process:
    """Something under way: a request, or a recovery. It may be slow, it may die, it may wake up late."""

    work: Coroutine[Any, Any, Any]
    request: PaymentRequest | None = None
    result: object = None
    error: Exception | None = None
    over: bool = False

    def step(self, fates: Fates | None = None) -> None:
        """Go on to the next point where it gives way."""
        if self.over:
            return
        try:
            self.work.send(fates)
        except StopIteration as end:
            self.over, self.result = True, end.value
        except (Refusal, Unavailable) as error:
            self.over, self.error = True, error

    def die(self) -> None:
        """Nothing more of it happens; what it had not committed is undone."""
        self.over = True
        self.work.close()


@dataclass
class Told:
    """What a client was told under a key, once for all."""

    fingerprint: bytes
    body: bytes = b""
    payments: set[PaymentId] = field(default_factory=set)


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Drive it to its end, with nobody else under way."""
    for _ in range(MANY_TURNS):
        try:
            work.send(None)
        except StopIteration as end:
            return end.value
    raise AssertionError("it waits for something that nobody will let go of")
