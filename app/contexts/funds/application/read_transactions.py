"""Read a page of a user's transactions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.contexts.funds.application.read_balance import read_balance
from app.contexts.funds.application.wallet_reader import TransactionLine, WalletReader
from app.kernel.ids import UserId
from app.kernel.money import Currency

Position = tuple[datetime, UUID]


@dataclass(frozen=True, slots=True)
class Page:
    """Lines, newest first, and where the next page starts, if there is one."""

    lines: Sequence[TransactionLine]
    next: Position | None


async def read_transactions(
    reader: WalletReader, user_id: UserId, currency: Currency | None, after: Position | None, limit: int
) -> Page:
    """The page of up to `limit` lines behind `after`.

    Raises:
        UserNotFound: the user has no wallet.
        WalletNotFound: the user has none in that currency.
    """
    lines = await reader.transactions(user_id, currency, after, limit + 1)
    if not lines:
        await read_balance(reader, user_id, currency)
    return page_of(lines, limit)


def page_of(lines: Sequence[TransactionLine], limit: int) -> Page:
    """The page of up to `limit` lines, made of one more where there is another page."""
    page = lines[:limit]
    more = len(lines) > limit
    return Page(page, (page[-1].created_at, page[-1].transaction_id) if more else None)
