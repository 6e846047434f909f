"""What the service refuses for a business reason: one class each, its data as attributes, no HTTP."""

from typing import ClassVar

from app.domain.ids import PaymentId
from app.domain.money import Currency


class Refusal(Exception):  # noqa: N818 -- a refusal is an answer, not a fault
    """A request that the rules do not allow. `code` is stable; clients may rely on it."""

    code: ClassVar[str]


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


class ProviderNotFound(Refusal):
    """There is no such provider, or it is not active."""

    code = "NOT_FOUND"

    def __str__(self) -> str:
        return "there is no such active provider"


class InsufficientFunds(Refusal):
    """The wallet holds less than the payment needs. Amounts in minor units."""

    code = "INSUFFICIENT_FUNDS"

    def __init__(self, currency: Currency, current_balance: int, amount: int) -> None:
        super().__init__(currency, current_balance, amount)
        self.currency = currency
        self.current_balance = current_balance
        self.amount = amount

    def __str__(self) -> str:
        return "the wallet does not hold enough; after a top-up use a new Idempotency-Key"


class KeyInProgress(Refusal):
    """Another request with this Idempotency-Key is under way, or its payment is not final yet."""

    code = "IDEMPOTENCY_IN_PROGRESS"

    def __init__(self, payment_id: PaymentId) -> None:
        super().__init__(payment_id)
        self.payment_id = payment_id

    def __str__(self) -> str:
        return "a request with this Idempotency-Key is still being worked on; retry with the same key"


class KeyReused(Refusal):
    """The Idempotency-Key belongs to a request that asked for something else."""

    code = "IDEMPOTENCY_KEY_REUSED"

    def __str__(self) -> str:
        return "this Idempotency-Key was used with another request"


class GatewayUnavailable(Refusal):
    """The gate to the gateway is closed: the breaker is open or the bulkhead is full. Nothing was done."""

    code = "GATEWAY_UNAVAILABLE"

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(retry_after_s)
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        return "the payment gateway takes no new payments at the moment; nothing was charged"


class BalanceLimit(Refusal):
    """The credit could carry the wallet past what it can hold (2^63-1 minor units)."""

    code = "BALANCE_LIMIT"

    def __str__(self) -> str:
        return "the balance with its pending payments would pass 2^63-1"


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


class ProviderExists(Refusal):
    """The id belongs to a provider of another name."""

    code = "PROVIDER_EXISTS"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"this id belongs to the provider {self.name!r}"
