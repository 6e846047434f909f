"""What is asked of a wallet under an Idempotency-Key, and how it ends."""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple, Protocol
from uuid import UUID

from app.contexts.funds.domain.bulk import Bulk, BulkMode
from app.contexts.funds.domain.ids import TransferId
from app.contexts.funds.domain.refusals import (
    BalanceLimit,
    BulkRefused,
    InsufficientFunds,
    ReferenceReused,
    WalletNotFound,
)
from app.contexts.funds.domain.transfer import CompletedTransfer
from app.kernel.errors import Unavailable
from app.kernel.ids import UserId
from app.kernel.money import Currency, Money
from app.kernel.principal import TenantId
from app.platform.idempotency.keys import Answer, Answered, KeyRecord, KeyScope
from app.platform.idempotency.refusals import KeyInProgress, KeyReused


class SendRequest(NamedTuple):
    """A request to send money to another user.

    `scope` is the key with whoever asks. The id is chosen once: running it again, whatever happened before, is the same
    request.
    """

    scope: KeyScope
    fingerprint: bytes
    tenant_id: TenantId
    transfer_id: TransferId
    sender: UserId
    recipient: UserId
    money: Money
    note: str | None = None
    traceparent: str | None = None


class ReceiveRequest(NamedTuple):
    """A request to pay in from outside, once a reference, recipient and currency. See `SendRequest`."""

    scope: KeyScope
    fingerprint: bytes
    tenant_id: TenantId
    transfer_id: TransferId
    recipient: UserId
    money: Money
    reference: str
    traceparent: str | None = None


class Payout(NamedTuple):
    """One transfer of a bulk: to whom, if there is such a user."""

    recipient: UserId | None
    money: Money
    note: str | None = None


class BulkRequest(NamedTuple):
    """A request to send money to several. See `SendRequest`."""

    scope: KeyScope
    fingerprint: bytes
    tenant_id: TenantId
    bulk_id: UUID
    sender: UserId
    mode: BulkMode
    payouts: tuple[Payout, ...]
    traceparent: str | None = None

    @property
    def is_flawed(self) -> bool:
        """Whether some of it goes to nobody, or to its sender: that cannot be done, whatever is there."""
        return any(payout.recipient in (None, self.sender) for payout in self.payouts)

    @property
    def totals_minor(self) -> Mapping[Currency, int]:
        """What all of it takes, by currency, in minor units. It may be more than a wallet can hold."""
        totals: Counter[Currency] = Counter()
        for payout in self.payouts:
            totals[payout.money.currency] += payout.money.amount_minor
        return totals


class Answers(Protocol):
    """Makes the responses that are stored with their key."""

    def completed(self, transfer: CompletedTransfer) -> Answer:
        """The response to money that has moved: for the same transfer the same bytes."""
        ...

    def bulk(self, bulk: Bulk) -> Answer:
        """The response to a bulk that was done."""
        ...

    def refused(self, refusal: InsufficientFunds | BalanceLimit | ReferenceReused | BulkRefused) -> Answer:
        """The response to money that could not move."""
        ...


Result = Answered | KeyReused | KeyInProgress | WalletNotFound | Unavailable
"""Of a request: a refusal is a value, and takes nobody else down. Only an answer has left a trace."""

Known = KeyRecord[TransferId]
"""What is known under a key: the transfer or the bulk that was made, if one was, and the answer."""
