"""Pay money into a wallet, opening it where there is none."""

from collections.abc import Container
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.contexts.funds.domain.ids import TransactionId
from app.contexts.funds.domain.ledger import Transaction
from app.contexts.funds.domain.refusals import BalanceLimit, CurrencyUnknown, ReferenceReused
from app.contexts.funds.domain.wallet import Wallet
from app.kernel.currencies import is_known
from app.kernel.ids import UserId
from app.kernel.money import Currency, Money
from app.kernel.new_ids import Ids


@dataclass(frozen=True, slots=True)
class Opened:
    """A wallet, locked until the work ends, and what funding it must know. Amounts in minor units."""

    wallet: Wallet
    pending_minor: int
    """The sum of the user's pending payments in the wallet's currency: each may come back."""
    funded_minor: int | None
    """What an earlier funding with the same reference paid in."""
    now: datetime


class FundingWork(Protocol):
    """One transaction over the books that pays in."""

    async def open(self, user_id: UserId, currency: Currency, reference: str | None) -> Opened:
        """Lock the wallet; there is one afterwards."""
        ...

    async def commit(self, funding: Transaction) -> None:
        """Write it and commit. When this raises, the caller cannot know whether it happened."""
        ...


class FundingBooks(Protocol):
    """The books, as those who pay in have them."""

    def begin(self) -> AbstractAsyncContextManager[FundingWork]:
        """Begin a work. Leaving it without a commit undoes it."""
        ...


@dataclass(frozen=True, slots=True)
class Funded:
    """The wallet's balance now, in minor units. `already`: an earlier run with this reference paid in."""

    balance_minor: int
    already: bool


class PayingIn(Protocol):
    """What operators do: each call a transaction of its own."""

    async def fund(self, user_id: UserId, money: Money, reference: str | None) -> Funded:
        """Pay money into a wallet, opening it where there is none; at most once a reference, user and currency.

        Raises:
            CurrencyUnknown: the currency is not known, nor did the reference pay in before.
            BalanceLimit: balance, what is set aside, pending payments and the amount would pass 2^63-1.
            ReferenceReused: the reference paid in another amount before.
        """
        ...


class Fund:
    """Funds wallets. It implements `PayingIn`.

    `currencies` are those that are known beside ISO 4217's.
    """

    def __init__(self, books: FundingBooks, ids: Ids, currencies: Container[str] = ()) -> None:
        self._books = books
        self._ids = ids
        self._currencies = currencies

    async def fund(self, user_id: UserId, money: Money, reference: str | None) -> Funded:
        """See `PayingIn.fund`."""
        async with self._books.begin() as work:
            opened = await work.open(user_id, money.currency, reference)
            wallet = opened.wallet
            if opened.funded_minor is not None:
                if opened.funded_minor != money.amount_minor:
                    raise ReferenceReused(opened.funded_minor)
                return Funded(wallet.balance_minor, already=True)
            if not is_known(money.currency, self._currencies):
                raise CurrencyUnknown(money.currency)
            if not wallet.has_room(money.amount_minor, opened.pending_minor):
                raise BalanceLimit
            funding = wallet.pay_in(TransactionId(self._ids()), reference, money, opened.now)
            await work.commit(funding)
        return Funded(wallet.after(funding).balance_minor, already=False)
