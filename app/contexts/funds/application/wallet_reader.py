"""What is read of wallets: what they hold, and what moved it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple, Protocol
from uuid import UUID

from app.kernel.ids import UserId
from app.kernel.money import Currency

DEBITS: Final = frozenset(("PAYMENT", "TRANSFER_OUT", "HOLD", "CAPTURE_OUT"))
"""The kinds of movements by which the money goes out."""


class Balance(NamedTuple):
    """What a wallet holds, in minor units: what can be spent, and what is set aside."""

    currency: str
    current_balance: int
    updated_at: datetime
    held: int = 0


class TransactionLine(NamedTuple):
    """A line of a user's history. `amount` is positive, `balance_after` the wallet's; both in minor units.

    What moves what is set aside, and no wallet, has no balance.
    """

    transaction_id: UUID
    kind: str
    amount: int
    currency: str
    status: str
    balance_after: int | None
    payment_id: UUID | None
    provider_id: UUID | None
    external_reference: str | None
    created_at: datetime
    counterparty: UUID | None = None
    note: str | None = None
    business_id: UUID | None = None

    @property
    def is_debit(self) -> bool:
        """Whether the money went out: of the wallet, or of what is set aside."""
        return self.kind in DEBITS


class WalletReader(Protocol):
    """Reads a user's wallets."""

    async def balances(self, user_id: UserId) -> Sequence[Balance]:
        """The user's balances, by currency."""
        ...

    async def transactions(
        self, user_id: UserId, currency: Currency | None, before: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[TransactionLine]:
        """Up to `limit` lines older than `before` (time and id of a line), newest first."""
        ...
