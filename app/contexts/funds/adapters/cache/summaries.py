"""A user's wallets beside what their entries say, kept for some seconds: all entries are added up for it."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from secrets import token_hex
from typing import Final
from uuid import UUID

from msgspec import Struct

from app.contexts.funds.application.reconcile import Standing, Standings
from app.contexts.funds.domain.ledger import Transaction
from app.kernel.errors import Unavailable
from app.kernel.principal import TenantId
from app.platform.cache.ports import OF_NOBODY, Cache, Kind


class Summary(Struct, frozen=True):
    """Standings, and the mark that was the user's before they were added up."""

    mark: str
    standings: list[Standing]


WALLET: Final[Kind[Summary]] = Kind("wallet", Summary, (5.0, 15.0), in_process=False)
MARK: Final[Kind[str]] = Kind("wallets:mark", str, (60.0, 300.0), in_process=False)
"""Another one, and what was kept with the one before is over. It is nobody's, as who books knows a user, and no tenant;
so what is kept can be its tenant's, whose admins may have it forgotten.
"""


class KeptStandings(Standings):
    """Standings that may be some seconds old, kept for the tenant that `tenant_of` says, or as nobody's."""

    def __init__(
        self, reconciled: Standings, cache: Cache, tenant_of: Callable[[UUID], Awaitable[TenantId | None]]
    ) -> None:
        self._reconciled, self._cache, self._tenant_of = reconciled, cache, tenant_of

    async def standings(self, user_id: UUID) -> Sequence[Standing]:
        """See `Standings`."""
        try:
            tenant_id = await self._tenant_of(user_id) or OF_NOBODY
        except Unavailable:  # then whoever might have it forgotten is not known
            return await self._reconciled.standings(user_id)
        name = str(user_id)
        mark = await self._cache.get(OF_NOBODY, MARK, name, _new_mark)
        load = partial(self._add_up, user_id, mark)
        found = await self._cache.get(tenant_id, WALLET, name, load)
        if found.mark != mark:
            await self._cache.delete(tenant_id, [WALLET.key(name)])
            found = await self._cache.get(tenant_id, WALLET, name, load)
        return found.standings

    async def _add_up(self, user_id: UUID, mark: str) -> Summary:
        return Summary(mark, [*await self._reconciled.standings(user_id)])


def forgetting(
    cache: Cache, observe: Callable[[Sequence[Transaction]], None]
) -> Callable[[Sequence[Transaction]], None]:
    """Has what was kept of the wallets of a committed batch forgotten, beside what else is told of it: once for all,
    and nobody waits for it.
    """

    def committed(transactions: Sequence[Transaction]) -> None:
        observe(transactions)
        cache.forget_later(OF_NOBODY, MARK, [str(user_id) for user_id in {each.user_id for each in transactions}])

    return committed


async def _new_mark() -> str:
    return token_hex(8)
