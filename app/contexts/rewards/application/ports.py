"""What is needed of the outside to read cashback, and to change its rules."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from app.contexts.rewards.domain.account import Standing
from app.contexts.rewards.domain.entry import Line
from app.contexts.rewards.domain.ids import RuleId
from app.contexts.rewards.domain.rule import Rule
from app.contexts.rewards.domain.sale import Source
from app.kernel.ids import UserId
from app.kernel.principal import TenantId


class Place(NamedTuple):
    """Where a page of lines begins, behind the line that was written then and has that id."""

    at: datetime
    id: UUID


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """A line of the ledger, with what its entry was earned by."""

    line: Line
    source: Source
    merchant: str
    reference: str
    rule_id: RuleId


class LinePage(NamedTuple):
    """Lines, newest first, and where the next page begins, if there is one."""

    lines: Sequence[LedgerLine]
    next: Place | None


class Ledger(Protocol):
    """The ledger, as it is read. Everything raises Unavailable where it cannot be told now."""

    async def lines(
        self, tenant_id: TenantId, user_id: UserId, before: Place | None, limit: int
    ) -> Sequence[LedgerLine]:
        """Up to `limit` of somebody's lines, newest first."""
        ...

    async def standing(self, tenant_id: TenantId, user_id: UserId) -> Standing | None:
        """Where somebody stands, if they have an account."""
        ...


class OnChain(Protocol):
    """Tokens where they really are."""

    async def balance(self, address: str) -> int | None:
        """How many base units the address has; None where that cannot be known soon."""
        ...


class Rules(Protocol):
    """The rules of tenants. Everything raises Unavailable where it cannot be told or done now."""

    async def all(self, tenant_id: TenantId) -> Sequence[Rule]:
        """All of the tenant's, the oldest first."""
        ...

    async def add(self, tenant_id: TenantId, make: Callable[[datetime], Rule]) -> Rule:
        """Have a rule, made at that time of the database's."""
        ...

    async def change(self, tenant_id: TenantId, rule_id: RuleId, decide: Callable[[Rule], Rule]) -> Rule | None:
        """Make of the rule what is decided; None if there is none with that id."""
        ...
