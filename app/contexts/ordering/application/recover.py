"""Finish what a death left half done, and do what comes by itself when its time has come."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from app.contexts.ordering.application.close_order import CloseOrder
from app.contexts.ordering.application.closing_steps import Complete, Standing, Start
from app.contexts.ordering.application.end_checkout import EndCheckout
from app.contexts.ordering.domain.checkout import Checkout
from app.contexts.ordering.domain.ids import OrderId
from app.contexts.ordering.domain.order import Closing
from app.kernel.principal import TenantId
from app.kernel.refusals import Refusal
from app.platform.people import Directory
from app.platform.process.rounds import Rounds
from app.platform.process.waiting import pause


@dataclass(frozen=True, slots=True)
class Terms:
    """What is due: what was begun so many seconds ago, orders so many days after they were paid, or shipped.

    At most `limit` of each are taken, and nobody else gets them within the lease.
    """

    older_than_s: float
    ship_d: int
    complete_d: int
    lease_s: float
    limit: int


@dataclass(frozen=True, slots=True)
class Due:
    """What is due, the longest waiting first."""

    checkouts: Sequence[Checkout]
    closings: Sequence[Standing]
    not_shipped: Sequence[OrderId]
    arrived: Sequence[OrderId]


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is half done, what is under way included: how many, and the oldest's age."""

    checkouts: int
    oldest_checkout_s: float
    closings: int
    oldest_closing_s: float


class DueBusiness(Protocol):
    """What nobody finished. Ages and leases go by the database's clock."""

    async def take(self, tenant_id: TenantId, terms: Terms) -> Due:
        """Lease what is due of the tenant's.

        Raises:
            Unavailable: it cannot be known now.
        """
        ...

    async def backlog(self, tenants: Sequence[TenantId]) -> Backlog:
        """What there is of all of them.

        Raises:
            Unavailable: it cannot be known now.
        """
        ...


class Kind(StrEnum):
    """What recovery takes over."""

    CHECKOUT = "checkout"
    CLOSING = "closing"
    NOT_SHIPPED = "not_shipped"
    ARRIVED = "arrived"


Observer = Callable[[Kind, object, Exception | None], None]
"""Told of each attempt: what at (its id), and what went wrong, if something did."""


class Recover:
    """A recovery worker. Any number of them may run: a lease keeps them from doing the same at once, and the steps,
    each of which is repeatable, keep them right when they do.
    """

    def __init__(
        self, due: DueBusiness, directory: Directory, end: EndCheckout, close: CloseOrder, *, terms: Terms,
        every_s: float, observe: Observer,
    ) -> None:  # fmt: skip
        self._due = due
        self._directory = directory
        self._end = end
        self._close = close
        self._terms = terms
        self._every_s = every_s
        self._observe = observe
        self._rounds = Rounds("ordering_recovery")

    async def run(self, stop: asyncio.Event) -> None:
        """Recover until `stop` is set; what is under way by then is finished. A database out of reach is waited for."""
        while not stop.is_set():
            with self._rounds.survived():
                await self.round()
            await pause(self._rounds.wait_s(self._every_s), stop)

    async def round(self) -> None:
        """Take what is due, tenant by tenant, and do it.

        Raises:
            Unavailable: it cannot be known now what is due.
        """
        for house in await self._directory.tenants():
            due = await self._due.take(house.tenant_id, self._terms)
            await asyncio.gather(*self._doing(house.tenant_id, due))

    def _doing(self, tenant_id: TenantId, due: Due) -> Sequence[Coroutine[Any, Any, None]]:
        return [
            *(self._try(Kind.CHECKOUT, c.id, self._end.decide(c)) for c in due.checkouts),
            *(self._try(Kind.CLOSING, s.order.id, self._close.finish(s)) for s in due.closings),
            *(self._try(Kind.NOT_SHIPPED, id_, self._cancel(tenant_id, id_)) for id_ in due.not_shipped),
            *(
                self._try(Kind.ARRIVED, id_, self._close.complete(Complete(tenant_id, id_, None)))
                for id_ in due.arrived
            ),
        ]

    async def _cancel(self, tenant_id: TenantId, order_id: OrderId) -> None:
        await self._close(Start(tenant_id=tenant_id, order_id=order_id, closing=Closing.CANCEL, by=None))

    async def _try(self, kind: Kind, what: object, doing: Awaitable[object]) -> None:
        error = None
        try:
            await doing
        except Refusal:  # a seller without room; or its buyer, or its seller, was faster
            pass
        except Exception as met:  # one's trouble must not keep the others waiting
            error = met
        self._observe(kind, what, error)
