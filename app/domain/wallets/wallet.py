"""A wallet: what a user holds in one currency."""

from app.domain.ids import UserId
from app.domain.money import MAX_MINOR, Currency, Money
from app.domain.refusals import BalanceLimit, InsufficientFunds


class Wallet:
    """A balance in minor units. Never negative, never past 2^63-1; its version counts its movements."""

    __slots__ = ("balance_minor", "currency", "user_id", "version")

    def __init__(self, user_id: UserId, currency: Currency, balance_minor: int = 0, version: int = 0) -> None:
        self.user_id = user_id
        self.currency = currency
        self.balance_minor = balance_minor
        self.version = version

    def debit(self, money: Money) -> None:
        """Take the money out.

        Raises:
            InsufficientFunds: the wallet holds less.
            ValueError: the money is of another currency.
        """
        self._same_currency(money)
        if money.amount_minor > self.balance_minor:
            raise InsufficientFunds(self.currency, self.balance_minor, money.amount_minor)
        self.balance_minor -= money.amount_minor
        self.version += 1

    def credit(self, money: Money) -> None:
        """Put the money in.

        Raises:
            BalanceLimit: the wallet cannot hold it.
            ValueError: the money is of another currency.
        """
        self._same_currency(money)
        if money.amount_minor > MAX_MINOR - self.balance_minor:
            raise BalanceLimit
        self.balance_minor += money.amount_minor
        self.version += 1

    def _same_currency(self, money: Money) -> None:
        if money.currency != self.currency:
            raise ValueError(f"{money.currency} cannot be moved in a wallet of {self.currency}")
