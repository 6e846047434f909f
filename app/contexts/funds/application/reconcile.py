"""How a user's wallets stand: what is stored, what the ledger says, and what moved last."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from app.contexts.funds.application.wallet_reader import TransactionLine, WalletReader
from app.contexts.funds.domain.refusals import UserNotFound
from app.kernel.ids import UserId


@dataclass(frozen=True, slots=True)
class Standing:
    """A wallet as it is stored, and as its entries have it. Amounts in minor units."""

    currency: str
    balance: int
    version: int
    updated_at: datetime
    derived_balance: int
    entries: int
    newest_balance_after: int
    held: int
    derived_held: int
    open_holds: int
    """What the user's open holds hold in this currency."""
    pending_payments: int
    """Those, and their refunds, that are not final: what they are about may come back."""
    pending_amount: int

    @property
    def agrees(self) -> bool:
        """Whether balance, version and what is set aside are what the entries say, and the holds."""
        return (self.balance, self.balance, self.version, self.held, self.held) == (
            self.derived_balance,
            self.newest_balance_after,
            self.entries,
            self.derived_held,
            self.open_holds,
        )


class Standings(Protocol):
    """Compares wallets with the ledger."""

    async def standings(self, user_id: UUID) -> Sequence[Standing]:
        """The user's wallets by currency, all of one snapshot.

        Raises:
            Unavailable: the books are out of reach.
        """
        ...


@dataclass(frozen=True, slots=True)
class Wallets:
    """A user's wallets, and the newest lines of their history."""

    user_id: UUID
    standings: Sequence[Standing]
    lines: Sequence[TransactionLine]

    @property
    def agree(self) -> bool:
        """Whether every wallet is what its entries say."""
        return all(standing.agrees for standing in self.standings)


async def read_wallets(standings: Standings, reader: WalletReader, user_id: UUID, lines: int) -> Wallets:
    """The user's wallets with up to `lines` lines, newest first.

    Raises:
        UserNotFound: the user has no wallet.
        Unavailable: the books are out of reach.
    """
    found = await standings.standings(user_id)
    if not found:
        raise UserNotFound
    return Wallets(user_id, found, await reader.transactions(UserId(user_id), None, None, lines))
