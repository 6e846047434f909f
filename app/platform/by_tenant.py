"""Batches over several tenants: a transaction sees the rows of one."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from app.kernel.principal import TenantId


class OfATenant(Protocol):
    """A command about one tenant's rows."""

    @property
    def tenant_id(self) -> TenantId:
        """Whose."""
        ...


C = TypeVar("C", bound=OfATenant)
R = TypeVar("R")


async def by_tenant(
    commands: Sequence[C], run: Callable[[TenantId, Sequence[C]], Awaitable[Sequence[R]]]
) -> Sequence[R]:
    """The result of each command, run with those of its tenant, in their order."""
    places: dict[TenantId, list[int]] = {}
    for place, command in enumerate(commands):
        places.setdefault(command.tenant_id, []).append(place)
    results: dict[int, R] = {}
    for tenant_id, own in places.items():
        results.update(zip(own, await run(tenant_id, [commands[place] for place in own]), strict=True))
    return [results[place] for place in range(len(commands))]
