"""Settlements that the database did not take: written once it does, by the process that knows the outcome."""

import asyncio
from collections.abc import Sequence
from contextvars import Context, copy_context
from typing import Final, NamedTuple, Protocol

from app.contexts.payments.application.resolve import Settling
from app.contexts.payments.application.results import Answered
from app.contexts.payments.application.settle import Marked, Settlement
from app.contexts.payments.domain.ids import PaymentId
from app.kernel.errors import Unavailable

MOST: Final = 2_048
"""So many are kept: about a second's worth."""
AT_ONCE: Final = 128
FIRST_WAIT_S: Final = 0.1
LONGEST_WAIT_S: Final = 0.5


class UnsettledObserver(Protocol):
    """Is told what becomes of the settlements that are kept."""

    def waiting(self) -> None:
        """The database does not take them: the first is kept."""
        ...

    def written(self, rounds: int) -> None:
        """None is left. So many times they were tried."""
        ...

    def dropped(self, error: Exception) -> None:
        """One cannot be written, ever: a bug."""
        ...

    def left(self, payments: int) -> None:
        """The process ends with so many, which are recovery's now."""
        ...


class _Kept(NamedTuple):
    settlement: Settlement
    until: float
    context: Context
    """Its request's: for the lines and spans of what is done for it."""


class Unsettled:
    """`Settling`, with what could not be written kept, and written behind the caller's back.

    A help to those who wait, never the truth: it answers nobody and refuses nobody. The first to settle a payment wins,
    as ever, and what is given up here (too many, too old, the process ends) is recovery's, who asks the gateway.
    """

    def __init__(self, settle: Settling, keep_s: float, observer: UnsettledObserver) -> None:
        self._settle = settle
        self._observer = observer
        self._keep_s = keep_s
        self._kept: dict[PaymentId, _Kept] = {}
        self._worker: asyncio.Task[None] | None = None
        self._is_over = False

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._kept)

    async def settle(self, settlement: Settlement) -> Answered | Marked:
        """Settle the payment; see `Settle`.

        Raises:
            Unavailable: the database does not take it now. It will be tried again for up to `keep_s`.
        """
        try:
            return await self._settle(settlement)
        except Unavailable:
            self._keep(settlement)
            raise

    async def end(self) -> None:
        """Keep nothing any more: the process ends."""
        self._is_over = True
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.wait({self._worker})
        if self._kept:
            self._observer.left(len(self._kept))

    def _keep(self, settlement: Settlement) -> None:
        if self._is_over or len(self._kept) >= MOST:
            return
        loop = asyncio.get_running_loop()
        self._kept[settlement.payment.id] = _Kept(settlement, loop.time() + self._keep_s, copy_context())
        if self._worker is None:
            self._observer.waiting()
            self._worker = loop.create_task(self._work(), context=Context())

    async def _work(self) -> None:
        wait_s, tried = FIRST_WAIT_S, 0
        while self._kept:
            await asyncio.sleep(wait_s)
            now = asyncio.get_running_loop().time()
            self._kept = {of: kept for of, kept in self._kept.items() if kept.until > now}
            tried += 1
            wait_s = FIRST_WAIT_S if await self._write(list(self._kept.values())) else min(2 * wait_s, LONGEST_WAIT_S)
        self._observer.written(tried)
        self._worker = None

    async def _write(self, kept: Sequence[_Kept]) -> bool:
        """Try them all, until the database takes none of a part. Whether it went on to the end."""
        loop = asyncio.get_running_loop()
        for first in range(0, len(kept), AT_ONCE):
            part = [loop.create_task(self._once(k), context=k.context) for k in kept[first : first + AT_ONCE]]
            if not any(await asyncio.gather(*part)):
                return False
        return True

    async def _once(self, kept: _Kept) -> bool:
        """Whether it needs no other try."""
        try:
            await self._settle(kept.settlement)
        except Unavailable:
            return False
        except Exception as error:  # it must not hold up the others; recovery will meet it, too
            self._observer.dropped(error)
        if self._kept.get(kept.settlement.payment.id) is kept:
            del self._kept[kept.settlement.payment.id]
        return True
