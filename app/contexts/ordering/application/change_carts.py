"""Change carts: those that are changed at once share a transaction a tenant."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from app.contexts.ordering.domain.cart import Cart
from app.kernel.errors import Unavailable
from app.kernel.ids import UserId
from app.kernel.principal import TenantId
from app.kernel.refusals import Refusal
from app.platform.by_tenant import by_tenant

Decide = Callable[[Cart], Cart]
Changed = Cart | Refusal | Unavailable
"""The cart as the change left it; or why it did not; or that nobody knows whether it did."""


class Unknown(Exception):  # noqa: N818 -- it says what the commit is
    """A COMMIT was sent, and nobody knows whether it happened."""


@dataclass(slots=True, eq=False)
class CartChange:
    """What is to become of somebody's open cart."""

    tenant_id: TenantId
    owner: UserId
    decide: Decide
    result: Changed | None = None
    """Once it is known. A change may add up: then it is not made again, whatever becomes of the rest of its batch."""


class CartsWork(Protocol):
    """One transaction over the carts of a tenant, which it locks by their owners, in one order everywhere."""

    async def lock(self, owners: Collection[UserId]) -> Mapping[UserId, Cart]:
        """Lock the open carts of all owners, each there once; who has none gets a new one."""
        ...

    async def commit(self, carts: Mapping[UserId, Cart]) -> None:
        """Write the carts that changed, as they are now, and commit.

        Raises:
            Unknown: nobody knows whether it happened.
        """
        ...


class CartsBooks(Protocol):
    """The carts of all tenants."""

    async def open(self, tenant_id: TenantId, owner: UserId) -> Cart:
        """See `Carts.open`."""
        ...

    def begin(self, tenant_id: TenantId) -> AbstractAsyncContextManager[CartsWork]:
        """Begin a work. Leaving it without a commit undoes it."""
        ...


class ChangeCarts:
    """Changes a batch of carts: those of one owner in their order, each as the one before it left it."""

    def __init__(self, books: CartsBooks) -> None:
        self._books = books

    async def __call__(self, changes: Sequence[CartChange]) -> Sequence[Changed]:
        return await by_tenant(changes, self._change)

    async def _change(self, tenant_id: TenantId, changes: Sequence[CartChange]) -> Sequence[Changed]:
        if left := [change for change in changes if change.result is None]:
            results = await self._results(tenant_id, left)
            for change, result in zip(left, results, strict=True):
                change.result = result
        return [change.result for change in changes if change.result is not None]

    async def _results(self, tenant_id: TenantId, changes: Sequence[CartChange]) -> Sequence[Changed]:
        async with self._books.begin(tenant_id) as work:
            carts = dict(await work.lock({change.owner for change in changes}))
            changed: dict[UserId, Cart] = {}
            results: list[Changed] = []
            for change in changes:
                try:
                    cart = carts[change.owner] = changed[change.owner] = change.decide(carts[change.owner])
                except Refusal as refusal:
                    results.append(refusal)
                else:
                    results.append(cart)
            try:
                await work.commit(changed)
            except Unknown as unknown:
                return [_unavailable(unknown) if isinstance(result, Cart) else result for result in results]
        return results


class ChangedTogether:
    """Asks the batched use case: each change is one command of a batch. It implements `Carts`."""

    def __init__(self, books: CartsBooks, change: Callable[[CartChange], Awaitable[Changed]]) -> None:
        self._books = books
        self._change = change

    async def open(self, tenant_id: TenantId, owner: UserId) -> Cart:
        """See `Carts.open`."""
        return await self._books.open(tenant_id, owner)

    async def change(self, tenant_id: TenantId, owner: UserId, decide: Decide) -> Cart:
        """See `Carts.change`."""
        result = await self._change(CartChange(tenant_id, owner, decide))
        if isinstance(result, Cart):
            return result
        raise result


def _unavailable(unknown: Unknown) -> Unavailable:
    """Each has an exception of its own: it is raised where the change was asked for."""
    return Unavailable(str(unknown))
