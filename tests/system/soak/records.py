"""What was asked and what was answered: every call of the run, and what each of its answers means."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from uuid import UUID

import msgspec

Kind = Literal["pay", "retry", "race", "other", "malformed", "read"]
Meaning = Literal[
    "final",  # the payment's own answer, for good
    "pending",  # the payment exists, nobody knows yet
    "busy",  # the key's payment is under way
    "reused",  # the key belongs to another request
    "traceless",  # refused, and nothing was done
    "unknown",  # nothing is promised, or there was no answer at all
    "unsent",  # no connection: not a byte was sent
    "read",  # what a read asked for
    "odd",  # what the contract does not know
]

# What a code says, by the only status it may come with.
_MEANINGS: Final[dict[tuple[int, str], Meaning]] = {
    (400, "VALIDATION_ERROR"): "traceless",
    (401, "UNAUTHORIZED"): "traceless",
    (404, "NOT_FOUND"): "traceless",
    (409, "INSUFFICIENT_FUNDS"): "final",
    (409, "IDEMPOTENCY_IN_PROGRESS"): "busy",
    (422, "IDEMPOTENCY_KEY_REUSED"): "reused",
    (503, "GATEWAY_UNAVAILABLE"): "traceless",
    (503, "UNAVAILABLE"): "unknown",
}
_WAITS: Final = {"IDEMPOTENCY_IN_PROGRESS", "GATEWAY_UNAVAILABLE", "UNAVAILABLE"}
# What proves that the key has a record: from then on the gate has no say.
PROOFS: Final = {"final", "pending", "busy", "reused"}


@dataclass(slots=True)
class Call:
    """One call. Times are the event loop's; without an answer the status is 0. The body is kept of final answers."""

    kind: Kind
    api: int
    began: float
    ended: float = 0.0
    status: int = 0
    code: str = ""
    meaning: Meaning = "unknown"
    payment_id: str = ""
    replayed: bool = False
    body: bytes = b""
    complaint: str = ""


@dataclass(slots=True)
class Order:
    """One idempotency key: what is asked under it, and the calls that did, in the order in which they ended."""

    user_id: UUID
    key: str
    currency: str
    amount: int
    calls: list[Call] = field(default_factory=list)

    @property
    def final(self) -> Call | None:
        """The first final answer."""
        return next((call for call in self.calls if call.meaning == "final"), None)

    @property
    def may_exist(self) -> bool:
        """Whether anything may have been done under the key."""
        sent = [call for call in self.calls if call.kind != "malformed"]
        return any(call.meaning not in ("traceless", "unsent") for call in sent)


class History:
    """Every order, and every call of the run."""

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.calls: list[Call] = []
        self.complaints: list[str] = []
        self.resolved = 0

    def note(self, call: Call, order: Order | None, what: str) -> None:
        """Keep a call that has ended."""
        self.calls.append(call)
        if order is not None and call.kind not in ("other", "malformed"):
            order.calls.append(call)
        if call.complaint:
            self.complaints.append(f"{what}: {call.complaint}")

    def outcomes(self) -> Counter[str]:
        """How many calls were answered with what."""
        return Counter(f"{call.status} {call.code}".strip() if call.status else call.meaning for call in self.calls)


def interpret(call: Call, status: int, headers: Any, body: bytes) -> None:
    """Fill in what the answer says, and what is wrong with its form."""
    call.status = status
    call.replayed = headers.get("Idempotent-Replayed") == "true"
    try:
        content = msgspec.json.decode(body)
        if call.kind == "read" and status == 200:
            call.meaning = "read"
        elif status == 201:
            _payment(call, content)
        else:
            _refusal(call, content["error"], "Retry-After" in headers)
    except (msgspec.DecodeError, KeyError, TypeError, AttributeError) as error:
        call.meaning, call.complaint = "odd", f"{status} with a body of another form ({type(error).__name__})"
    if call.meaning == "final":
        call.body = body
    if call.meaning == "odd" and not call.complaint:
        call.complaint = f"{status} {call.code} is not documented"


def _payment(call: Call, payment: dict[str, Any]) -> None:
    call.payment_id, call.code = payment["payment_id"], payment["status"]
    call.meaning = "final" if call.code in ("APPROVED", "DECLINED") else "odd"


def _refusal(call: Call, error: dict[str, Any], says_when: bool) -> None:
    call.code, details = error["code"], error["details"]
    call.payment_id = details.get("payment_id", "")
    if (call.status, call.code) in ((502, "GATEWAY_ERROR"), (504, "GATEWAY_TIMEOUT")):
        told = details["status"], details["refunded"]
        known: dict[tuple[str, bool], Meaning] = {("FAILED", True): "final", ("PENDING", False): "pending"}
        call.meaning = known.get(told, "odd")
    else:
        call.meaning = _MEANINGS.get((call.status, call.code), "odd")
    if call.code in _WAITS and not says_when:
        call.complaint = f"{call.code} without Retry-After"
