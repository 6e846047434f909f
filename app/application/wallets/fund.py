"""Pay money into a wallet, opening it where there is none."""

from collections.abc import Container
from dataclasses import dataclass

from app.application.ports import Books, Changes, Ids
from app.domain.currencies import is_known
from app.domain.ids import TransactionId, UserId
from app.domain.money import MAX_MINOR, Money
from app.domain.refusals import BalanceLimit, CurrencyUnknown, ReferenceReused
from app.domain.wallets.ledger import pay_in


@dataclass(frozen=True, slots=True)
class Funded:
    """The wallet's balance now, in minor units. `already`: an earlier run with this reference paid in."""

    balance_minor: int
    already: bool


class Fund:
    """Funds a wallet. With a reference, at most once a reference, user and currency.

    `currencies` are those that are known beside ISO 4217's.
    """

    def __init__(self, books: Books, ids: Ids, currencies: Container[str] = ()) -> None:
        self._books = books
        self._ids = ids
        self._currencies = currencies

    async def __call__(self, user_id: UserId, money: Money, reference: str | None) -> Funded:
        """Pay in.

        Raises:
            CurrencyUnknown: the currency is not known, nor did the reference pay in before.
            BalanceLimit: balance, pending payments and the amount would pass 2^63-1: every refund must fit.
            ReferenceReused: the reference paid in another amount before.
        """
        async with self._books.begin() as work:
            opened = await work.open(user_id, money.currency, reference)
            wallet = opened.wallet
            if opened.funded_minor is not None:
                if opened.funded_minor != money.amount_minor:
                    raise ReferenceReused(opened.funded_minor)
                return Funded(wallet.balance_minor, already=True)
            if not is_known(money.currency, self._currencies):
                raise CurrencyUnknown(money.currency)
            if wallet.balance_minor + opened.pending_minor + money.amount_minor > MAX_MINOR:
                raise BalanceLimit
            funding = pay_in(wallet, TransactionId(self._ids()), reference, money, opened.now)
            await work.commit(Changes(transactions=[funding], wallets={(wallet.user_id, wallet.currency): wallet}))
        return Funded(wallet.balance_minor, already=False)
