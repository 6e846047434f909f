"""What is asked of a wallet under an Idempotency-Key, and how it ends."""

from typing import NamedTuple, Protocol

from app.contexts.funds.domain.ids import TransferId
from app.contexts.funds.domain.refusals import BalanceLimit, InsufficientFunds, ReferenceReused, WalletNotFound
from app.contexts.funds.domain.transfer import CompletedTransfer
from app.kernel.errors import Unavailable
from app.kernel.ids import UserId
from app.kernel.money import Money
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


class Answers(Protocol):
    """Makes the responses that are stored with their key."""

    def completed(self, transfer: CompletedTransfer) -> Answer:
        """The response to money that has moved: for the same transfer the same bytes."""
        ...

    def refused(self, refusal: InsufficientFunds | BalanceLimit | ReferenceReused) -> Answer:
        """The response to money that could not move."""
        ...


Result = Answered | KeyReused | KeyInProgress | WalletNotFound | Unavailable
"""Of a request: a refusal is a value, and takes nobody else down. Only an answer has left a trace."""

Known = KeyRecord[TransferId]
"""What is known under a key: the transfer that was made, if one was, and the answer."""
