"""The gateway without the network: it records what a real one would; what the caller hears is up to the test."""

from collections import defaultdict, deque
from dataclasses import dataclass
from enum import Enum
from typing import Self

from app.contexts.payments.domain.ids import PaymentId
from app.contexts.payments.domain.outcome import (
    Absent,
    Approved,
    Declined,
    FailureCode,
    Mismatched,
    NotSent,
    Unknown,
    Voided,
)
from app.contexts.payments.domain.payment import Payment
from app.contexts.payments.domain.refusals import GatewayUnavailable
from app.kernel.money import Money
from tests.fakes.turns import fate_of, turn


class Mishap(Enum):
    """What goes wrong with a call."""

    NOT_SENT = "no byte of it left the house"
    LOST = "it never arrives"
    LATE = "it arrives when `deliver` is called"
    NO_ANSWER = "it arrives, its answer does not"
    ERROR = "it arrives nowhere, and a 500 is the answer"
    ERROR_AFTER = "it arrives, and a 500 is the answer"
    WRONG_AMOUNT = "it arrives, and another amount is charged"


class Standing(Enum):
    """What the gateway has on record for a payment."""

    APPROVED = "APPROVED"
    DECLINED = "DECLINED"
    VOIDED = "VOIDED"


@dataclass(frozen=True, slots=True)
class Charge:
    """A row of the gateway's record."""

    standing: Standing
    money: Money


_SILENCE = Unknown(FailureCode.GATEWAY_TIMEOUT)
_ERROR = Unknown(FailureCode.GATEWAY_ERROR)
_ERRORS = (Mishap.ERROR, Mishap.ERROR_AFTER, Mishap.WRONG_AMOUNT)
_NEVER_ARRIVES = (Mishap.NOT_SENT, Mishap.LOST, Mishap.LATE, Mishap.ERROR)


class FakeGateway:
    """A gateway that keeps one record a payment, with tombstones, and a client that may not hear of it."""

    def __init__(self, *, declines_with: str | None = None) -> None:
        self.declines_with = declines_with
        self.charges: dict[PaymentId, Charge] = {}
        self.calls: list[tuple[str, PaymentId]] = []
        self.on_the_way: list[Payment] = []
        self._mishaps: dict[str, deque[Mishap]] = defaultdict(deque)

    def plan(self, verb: str, *mishaps: Mishap) -> Self:
        """Line up what goes wrong with the next calls of `charge`, `ask` or `void`."""
        self._mishaps[verb].extend(mishaps)
        return self

    def deliver(self, which: int = 0) -> None:
        """A charge request that everybody gave up arrives at last."""
        self._record(self.on_the_way.pop(which))

    def stands(self, payment_id: PaymentId) -> bool:
        """Whether the customer has been charged."""
        charge = self.charges.get(payment_id)
        return charge is not None and charge.standing is Standing.APPROVED

    def verbs(self) -> list[str]:
        """What was called, in order."""
        return [verb for verb, _ in self.calls]

    async def charge(self, payment: Payment, deadline: float) -> Approved | Declined | Voided | NotSent | Unknown:
        mishap = await self._call("charge", payment)
        if mishap is Mishap.NOT_SENT:
            return NotSent(_SILENCE.why)
        if mishap is Mishap.LATE:
            self.on_the_way.append(payment)
        if mishap not in _NEVER_ARRIVES:
            self._record(payment, extra_minor=1 if mishap is Mishap.WRONG_AMOUNT else 0)
        answer = self._read(payment)
        if silence := await self._answer(mishap):
            return silence
        return _ERROR if isinstance(answer, Mismatched | Absent) else answer

    async def ask(
        self, payment: Payment, deadline: float
    ) -> Approved | Declined | Voided | Absent | Mismatched | Unknown:
        mishap = await self._call("ask", payment)
        answer = self._read(payment)
        return await self._answer(mishap) or answer

    async def void(self, payment: Payment, deadline: float) -> Voided | Declined | Unknown:
        mishap = await self._call("void", payment)
        if mishap not in _NEVER_ARRIVES:
            charge = self.charges.get(payment.id)
            if charge is None or charge.standing is not Standing.DECLINED:
                self.charges[payment.id] = Charge(Standing.VOIDED, payment.money)
        answer = self._read(payment)
        if silence := await self._answer(mishap):
            return silence
        assert isinstance(answer, Voided | Declined)
        return answer

    async def _call(self, verb: str, payment: Payment) -> Mishap | None:
        """The call leaves; by the time this returns it is at the gateway's door."""
        self.calls.append((verb, payment.id))
        fate = fate_of(await turn(), Mishap)
        if self._mishaps[verb]:
            return self._mishaps[verb].popleft()
        return fate

    async def _answer(self, mishap: Mishap | None) -> Unknown | None:
        """The answer is on its way back; what it says was fixed before."""
        await turn()
        if mishap is None:
            return None
        return _ERROR if mishap in _ERRORS else _SILENCE

    def _record(self, payment: Payment, extra_minor: int = 0) -> None:
        money = Money(payment.money.amount_minor + extra_minor, payment.money.currency)
        standing = Standing.DECLINED if self.declines_with else Standing.APPROVED
        self.charges.setdefault(payment.id, Charge(standing, money))

    def _read(self, payment: Payment) -> Approved | Declined | Voided | Absent | Mismatched:
        charge = self.charges.get(payment.id)
        match charge:
            case None:
                return Absent()
            case Charge(Standing.VOIDED, _):
                return Voided(FailureCode.GATEWAY_TIMEOUT)
            case Charge(Standing.DECLINED, _):
                return Declined(self.declines_with or "DECLINED")
            case Charge(Standing.APPROVED, money) if money != payment.money:
                return Mismatched()
            case _:
                return Approved()


class FakeGate:
    """A gate that the test opens and closes, with a count of the slots in use."""

    def __init__(self) -> None:
        self.is_open = True
        self.in_use = 0

    def enter(self) -> "FakeGate":
        if not self.is_open:
            raise GatewayUnavailable(5)
        return self

    def __enter__(self) -> "FakeGate":
        self.in_use += 1
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.in_use -= 1
