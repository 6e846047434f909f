"""What wallets refuse for a business reason: one class each, its data as attributes, no HTTP."""

from collections.abc import Mapping, Sequence
from datetime import date

from app.kernel.money import Currency
from app.kernel.refusals import Refusal


class UserNotFound(Refusal):
    """The user has no wallet at all."""

    code = "NOT_FOUND"

    def __str__(self) -> str:
        return "there is no such user"


class WalletNotFound(Refusal):
    """The user has no wallet in that currency."""

    code = "NOT_FOUND"

    def __init__(self, currency: Currency) -> None:
        super().__init__(currency)
        self.currency = currency

    def __str__(self) -> str:
        return f"the user has no wallet in {self.currency}"


class InsufficientFunds(Refusal):
    """The wallet holds less than is asked of it. Amounts in minor units."""

    code = "INSUFFICIENT_FUNDS"

    def __init__(self, currency: Currency, current_balance: int, amount: int) -> None:
        super().__init__(currency, current_balance, amount)
        self.currency = currency
        self.current_balance = current_balance
        self.amount = amount

    def told(self) -> Mapping[str, object]:
        """What whoever asked is told about the funds that were missing."""
        return {"currency": self.currency, "current_balance": self.current_balance, "amount": self.amount}

    def __str__(self) -> str:
        return "the wallet does not hold enough; after a top-up use a new Idempotency-Key"


class BalanceLimit(Refusal):
    """The credit could carry the wallet past what it can hold (2^63-1 minor units)."""

    code = "BALANCE_LIMIT"

    def __str__(self) -> str:
        return "the balance with its pending payments would pass 2^63-1"


class TimeToCome(Refusal):
    """What a wallet will hold at a time that has not come yet nobody knows."""

    code = "VALIDATION_ERROR"

    def __str__(self) -> str:
        return "the time has not come yet"


class CurrencyUnknown(Refusal):
    """New money is paid in in currencies that are known, and in no others."""

    code = "CURRENCY_UNKNOWN"

    def __init__(self, currency: Currency) -> None:
        super().__init__(currency)
        self.currency = currency

    def __str__(self) -> str:
        return f"{self.currency!r} is not a currency"


class ReferenceReused(Refusal):
    """The funding reference was used before, with another amount (in minor units)."""

    code = "REFERENCE_REUSED"

    def __init__(self, amount: int) -> None:
        super().__init__(amount)
        self.amount = amount

    def __str__(self) -> str:
        return f"this reference was already used to fund {self.amount}"


class BulkRefused(Refusal):
    """Of a bulk that is done whole or not at all some transfers cannot be done: by their places, with why."""

    code = "BULK_REFUSED"

    def __init__(self, errors: Sequence[tuple[int, str]]) -> None:
        super().__init__(errors)
        self.errors = errors

    def told(self) -> Mapping[str, object]:
        """What whoever asked is told: each transfer that would be refused if every one went by itself."""
        return {"errors": [{"index": index, "code": code} for index, code in self.errors]}

    def __str__(self) -> str:
        return "not every transfer can be done, so none was; to ask again use a new Idempotency-Key"


class HoldClosed(Refusal):
    """The hold is captured or released, or its time is over."""

    code = "HOLD_CLOSED"

    def __str__(self) -> str:
        return "the hold is closed"


class TooManyChanges(Refusal):
    """The hold has been of so many amounts that all that is left for it is its end."""

    code = "TOO_MANY_CHANGES"

    def __str__(self) -> str:
        return "the hold has been changed too often to be changed again"


class HoldNotFound(Refusal):
    """The user has no such hold."""

    code = "HOLD_NOT_FOUND"

    def __str__(self) -> str:
        return "there is no such hold"


class CaptureTooLarge(Refusal):
    """The parts are more than the hold holds. Amounts in minor units."""

    code = "CAPTURE_TOO_LARGE"

    def __init__(self, held: int, amount: int) -> None:
        super().__init__(held, amount)
        self.held = held
        self.amount = amount

    def __str__(self) -> str:
        return f"the hold holds {self.held}, less than {self.amount}"


class ForbiddenOperation(Refusal):
    """The operation was forbidden before it happened: it never will."""

    code = "FORBIDDEN_OPERATION"

    def __str__(self) -> str:
        return "the operation was forbidden"


class OperationReused(Refusal):
    """An operation with this id was asked for before, with another content."""

    code = "OPERATION_REUSED"

    def __str__(self) -> str:
        return "this operation was asked for before, with another content"


class DayNotOver(Refusal):
    """The day that is to be exported is not over by the database's clock."""

    code = "DAY_NOT_OVER"

    def __init__(self, day: date) -> None:
        super().__init__(day)
        self.day = day

    def __str__(self) -> str:
        return f"{self.day} is not over: the last day is the one before `--to`"


class NoExport(Refusal):
    """The folder has no export, or another one, or somebody else is at it."""

    code = "NO_EXPORT"
