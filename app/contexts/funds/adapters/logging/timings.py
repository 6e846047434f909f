"""What the reads of wallets take, at LOG_LEVEL=debug: wired instead of the reader itself, and only then."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from app.contexts.funds.adapters.postgres.wallets import PostgresWalletReader
from app.contexts.funds.application.wallet_reader import Balance, TransactionLine
from app.kernel.ids import UserId
from app.kernel.money import Currency
from app.platform.process.timings import timed


class TimedWalletReader(PostgresWalletReader):
    """Reads of wallets, timed from their being asked for: the wait for a round trip is inside."""

    async def balances(self, user_id: UserId) -> Sequence[Balance]:
        """See `WalletReader.balances`."""
        with timed("wallets", "balances", user_id=user_id):
            return await super().balances(user_id)

    async def transactions(
        self, user_id: UserId, currency: Currency | None, before: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[TransactionLine]:
        """See `WalletReader.transactions`."""
        with timed("wallets", "transactions", user_id=user_id):
            return await super().transactions(user_id, currency, before, limit)
