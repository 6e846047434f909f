"""Read one's cashback: the lines of the ledger, and where one stands."""

from dataclasses import dataclass
from typing import NamedTuple

from app.contexts.rewards.application.ports import Ledger, LinePage, OnChain, Place
from app.contexts.rewards.domain.account import Standing
from app.kernel.ids import UserId
from app.kernel.principal import TenantId


class Balance(NamedTuple):
    """Where somebody stands, and what the chain says of their address, if it says anything."""

    standing: Standing
    on_chain: int | None


@dataclass(frozen=True, slots=True)
class ReadCashback:
    """Reads it."""

    ledger: Ledger
    chain: OnChain

    async def lines(self, tenant_id: TenantId, user_id: UserId, before: Place | None, limit: int) -> LinePage:
        """Up to `limit` lines, from `before` on.

        Raises:
            Unavailable: it cannot be known now.
        """
        found = await self.ledger.lines(tenant_id, user_id, before, limit + 1)
        if len(found) <= limit:
            return LinePage(found, None)
        last = found[limit - 1].line
        return LinePage(found[:limit], Place(last.at, last.id))

    async def balance(self, tenant_id: TenantId, user_id: UserId) -> Balance:
        """Where somebody stands. Whoever has no account has nothing.

        Raises:
            Unavailable: it cannot be known now.
        """
        standing = await self.ledger.standing(tenant_id, user_id) or Standing(tenant_id, user_id)
        on_chain = None if standing.address is None else await self.chain.balance(standing.address)
        return Balance(standing, on_chain)
