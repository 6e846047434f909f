"""Cashback: one's own, and the rules that give it. Amounts of tokens are whole base units."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from strongbox_client.operation import Resource, W, listing, operation
from strongbox_client.values import UNSET, BaseUnits, UnsetType, Vocabulary


class CashbackKind(Vocabulary):
    """What a line of the ledger says."""

    EARNED = "EARNED"
    REVERSED = "REVERSED"
    OFFSET = "OFFSET"
    MINTING = "MINTING"
    MINTED = "MINTED"
    MINT_FAILED = "MINT_FAILED"


class CashbackLine(Struct, frozen=True):
    """A line of the ledger. `owed` is what of a REVERSED one became a debt."""

    line_id: UUID
    entry_id: UUID
    kind: CashbackKind
    amount: BaseUnits
    owed: BaseUnits
    source: Literal["purchase", "payment", "order"]
    merchant: str
    reference: str
    rule_id: UUID
    request_id: UUID | None
    tx_hash: str | None
    created_at: datetime


class CashbackBalance(Struct, frozen=True):
    """Where one stands. `on_chain` is None without an address, or while the chain is away."""

    accrued: BaseUnits
    minting: BaseUnits
    minted: BaseUnits
    debt: BaseUnits
    on_chain: BaseUnits | None


class Rule(Struct, frozen=True):
    """What of a purchase comes back. None is any, or without end."""

    rule_id: UUID
    basis_points: int
    currency: str
    category: str | None
    merchant: str | None
    from_: datetime | None = msgspec.field(name="from")
    until: datetime | None
    cap_per_user_month: BaseUnits | None
    min_amount: int | None
    is_active: bool
    created_at: datetime


class Cashback(Resource[W]):
    """One's own cashback; and its rules, for admins."""

    @operation("GET", "/v1/cashback/balance")
    def balance(self) -> CashbackBalance:
        """Where it is."""

    @operation("GET", "/v1/rewards/rules", "rules")
    def rules(self) -> list[Rule]:
        """All rules, the oldest first."""

    @operation("POST", "/v1/rewards/rules")
    def add_rule(
        self,
        *,
        basis_points: int,
        currency: str,
        category: str | None = None,
        merchant: str | None = None,
        from_: datetime | None = None,
        until: datetime | None = None,
        cap_per_user_month: BaseUnits | None = None,
        min_amount: int | None = None,
        is_active: bool | None = None,
    ) -> Rule:
        """Add one."""

    @operation("PATCH", "/v1/rewards/rules/{rule_id}", repeats=True)
    def change_rule(
        self,
        rule_id: UUID | str,
        *,
        basis_points: int | UnsetType = UNSET,
        currency: str | UnsetType = UNSET,
        category: str | UnsetType | None = UNSET,
        merchant: str | UnsetType | None = UNSET,
        from_: datetime | UnsetType | None = UNSET,
        until: datetime | UnsetType | None = UNSET,
        cap_per_user_month: BaseUnits | UnsetType | None = UNSET,
        min_amount: int | UnsetType | None = UNSET,
        is_active: bool | UnsetType = UNSET,
    ) -> Rule:
        """Change one; None takes away what was said."""

    @listing("/v1/cashback", "lines")
    def list(self, *, limit: int | None = None, cursor: str | None = None) -> CashbackLine:
        """The ledger, the newest first."""
