"""Carts, checkouts and orders, as checking out and closing have them: one transaction each, over one tenant's rows."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from app.contexts.catalog.public import Line
from app.contexts.ordering.application.asked import CheckoutRequest
from app.contexts.ordering.domain.checkout import Checkout, CheckoutRef
from app.contexts.ordering.domain.events import Event
from app.contexts.ordering.domain.ids import CartId, CheckoutId, OrderId
from app.contexts.ordering.domain.order import Order
from app.kernel.ids import UserId
from app.kernel.money import Currency
from app.kernel.operation_id import OperationId
from app.kernel.principal import TenantId
from app.platform.idempotency.keys import Answer, KeyRecord, KeyScope


@dataclass(frozen=True, slots=True)
class FullCart:
    """A cart that is open, as far as it is checked out: its lines come in the order of their products."""

    id: CartId
    currency: Currency | None
    lines: tuple[Line, ...]
    under_way: Checkout | None
    """The checkout that has not ended."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """The state that a batch of requests meets, locked until the work ends. `now` is the database's clock."""

    won: frozenset[KeyScope]
    """Keys that are the requests' own from here on."""
    records: Mapping[KeyScope, KeyRecord[CheckoutId]]
    """Keys that were there before."""
    carts: Mapping[UserId, FullCart]
    now: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """Checkouts with their orders as they stand, locked until the work ends, and the answers of those that ended."""

    checkouts: Mapping[CheckoutId, Checkout]
    orders: Mapping[CheckoutId, list[Order]]
    """In the order of their ids."""
    answers: Mapping[CheckoutId, Answer]
    now: datetime


@dataclass(frozen=True, slots=True)
class HeldOrders:
    """Orders as they stand, locked until the work ends, and what the stock knows them by."""

    orders: Mapping[OrderId, Order]
    sales: Mapping[OrderId, OperationId]
    """Of those that were sold elsewhere."""
    now: datetime


@dataclass(slots=True)
class Changes:
    """All that a work writes, committed as one."""

    new_checkouts: list[Checkout] = field(default_factory=list)
    """Each of which is under way with its cart from then on, if it has one."""
    ended_checkouts: list[Checkout] = field(default_factory=list)
    """Their carts are checked out, or as they were before."""
    new_orders: list[Order] = field(default_factory=list)
    changed_orders: list[Order] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    answers: dict[KeyScope, Answer] = field(default_factory=dict)
    made: set[KeyScope] = field(default_factory=set)
    """Of the answers, those of requests that have made something which stands."""
    forgotten: dict[KeyScope, CheckoutId] = field(default_factory=dict)
    """Keys that are free again, with what they were claimed for."""


class Work(Protocol):
    """One transaction. What it locks it locks in one order everywhere: keys, checkouts, carts, orders, each by key."""

    async def claim(self, requests: Sequence[CheckoutRequest]) -> Claimed:
        """Claim the requests' keys (one request a key), and lock the carts."""
        ...

    async def lock(self, checkouts: Collection[CheckoutRef], *, with_carts: bool = False) -> Held:
        """Lock the checkouts, each there once, and so their orders; whoever is to end one has its cart locked, too."""
        ...

    async def lock_orders(self, orders: Collection[OrderId]) -> HeldOrders:
        """Lock the orders, each there once, and nothing else."""
        ...

    async def commit(self, changes: Changes) -> None:
        """Write it all and commit. When this raises, the caller cannot know whether it happened."""
        ...


class Books(Protocol):
    """What there is of carts, checkouts and orders."""

    def begin(self, tenant_id: TenantId) -> AbstractAsyncContextManager[Work]:
        """Begin a work. Leaving it without a commit undoes it."""
        ...
