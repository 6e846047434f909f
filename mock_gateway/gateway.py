"""The gateway: from a request to what becomes of it, through the mode that is set."""

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import NamedTuple, TypeVar
from uuid import uuid4

import msgspec

from mock_gateway.charges import Charge, ChargeRequest, Charges, Record
from mock_gateway.modes import Fate, Mode
from mock_gateway.refunding import Refunding
from mock_gateway.replies import (
    Answer,
    Held,
    Listing,
    Raw,
    Reply,
    Settled,
    charged,
    failure,
    problem,
    voided,
)
from mock_gateway.reports import report_of
from mock_gateway.values import UUID_PATTERN, PaymentId, RefundId, wrong

_decode_charge = msgspec.json.Decoder(ChargeRequest).decode
_decode_mode = msgspec.json.Decoder(Mode).decode
_is_uuid = re.compile(UUID_PATTERN).match


class Request(NamedTuple):
    """A complete HTTP request; `keys` are its Idempotency-Key headers."""

    method: str
    path: str
    keys: tuple[str, ...]
    body: bytes
    keep_alive: bool


Handler = Callable[[Request], Reply]
_Reply = TypeVar("_Reply", bound=Reply)


class Gateway:
    """Answers requests, one at a time and without awaiting, so every step on a payment is atomic."""

    def __init__(self, mode: Mode, charges: Charges) -> None:
        self._mode = mode
        self._charges = charges
        self._routes: dict[str, dict[str, Handler]] = {
            "/charges": {"POST": self._charge},
            "/health": {"GET": lambda _: Answer(200, b'{"status":"ok"}')},
            "/admin/mode": {"GET": self._show_mode, "PUT": self._set_mode},
            "/admin/charges": {"GET": self._list_charges, "DELETE": self._forget_charges},
            "/admin/refunds": {"GET": lambda _: Listing(self._charges.refunds.listing())},
        }
        self._refunding = Refunding(self._suffer, self._time)

    def handle(self, request: Request) -> Reply:
        """Route the request; what no route or method is there for gets 404 or 405, what cannot be kept 503."""
        handlers = self._routes.get(request.path) or self._payment_route(request.path)
        if handlers is None:
            return problem(404, "no such resource")
        handler = handlers.get(request.method)
        if handler is None:
            return problem(405, "method not allowed", b"allow: %b\r\n" % ", ".join(handlers).encode())
        reply = _unless_unkept(partial(handler, request))
        return Held(reply.delay_s, partial(_unless_unkept, reply.then)) if isinstance(reply, Held) else reply

    def _payment_route(self, path: str) -> dict[str, Handler] | None:
        match path.split("/"):
            case ["", "charges", text]:
                return {"GET": partial(self._for_payment, text, self._ask)}
            case ["", "charges", text, "void"]:
                return {"POST": partial(self._for_payment, text, self._void)}
            case ["", "reports", text]:
                return {"GET": lambda _: report_of(self._charges, self._mode, text)}
            case ["", "charges", text, "refunds"]:
                return {"POST": partial(self._refund, text)}
            case ["", "charges", text, "refunds", refund]:
                return {"GET": partial(self._ask_refund, text, refund)}
            case ["", "admin", "charges", text]:
                return {"GET": partial(self._for_payment, text, self._show_charge)}
        return None

    def _for_payment(self, text: str, handler: Callable[[PaymentId], Reply], _: Request) -> Reply:
        if not _is_uuid(text):
            return problem(400, "the payment id in the path is not a UUID")
        return handler(PaymentId(text.lower()))

    def _charge(self, request: Request) -> Reply:
        try:
            body = _decode_charge(request.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return problem(400, f"body: {error}")
        if len(request.keys) != 1 or request.keys[0].lower() != body.payment_id:
            return problem(400, "header Idempotency-Key: must be given once and equal payment_id")
        record = self._charges.of(PaymentId(body.payment_id))
        record.attempts.charge += 1
        fate = self._mode.draw("charge", body.payment_id, record.attempts.charge)
        offer = _offer(body, fate)
        make = partial(self._charges.take, record, body, offer)
        answer = partial(_charge, self._charges, record, body, offer)
        if fate.kind != "wrong_amount" or record.voided or record.refuses(body):
            return self._suffer(fate, make, answer)
        # Shown first or recorded first, what a client sees is the wrong amount: also when a right charge stands.
        shown = msgspec.structs.replace(record.charge or offer, amount=offer.amount)
        reply = charged(shown, 200 if record.charge else 201)
        self._time(fate, make)
        return reply

    def _ask(self, payment_id: PaymentId) -> Reply:
        record = self._charges.of(payment_id)
        record.attempts.ask += 1
        fate = self._mode.draw("ask", payment_id, record.attempts.ask)
        if fate.kind == "wrong_amount" and record.charge and record.request and not record.voided:
            return charged(msgspec.structs.replace(record.charge, amount=wrong(record.request.amount)))
        return self._suffer(fate, _nothing, partial(_ask, record))

    def _void(self, payment_id: PaymentId) -> Reply:
        record = self._charges.of(payment_id)
        record.attempts.void += 1
        fate = self._mode.draw("void", payment_id, record.attempts.void)
        return self._suffer(fate, partial(self._charges.void, record), partial(_void, self._charges, record))

    def _refund(self, text: str, request: Request) -> Reply:
        def give_back(payment_id: PaymentId) -> Reply:
            return self._refunding.refund(self._charges, self._mode, payment_id, request.keys, request.body)

        return self._for_payment(text, give_back, request)

    def _ask_refund(self, text: str, refund: str, request: Request) -> Reply:
        if not _is_uuid(refund):
            return problem(400, "the refund id in the path is not a UUID")
        refund_id = RefundId(refund.lower())
        return self._for_payment(
            text, lambda payment_id: self._refunding.ask(self._charges, self._mode, payment_id, refund_id), request
        )

    def _suffer(self, fate: Fate, effect: Callable[[], object], answer: Callable[[], Settled]) -> Reply:
        """Serve a request as its fate has it: `answer` serves it well, `effect` does only what it does."""
        delay_s, when = self._mode.delay_s(fate.kind), self._mode.charge
        match fate.kind:
            case "latency" if when == "before":
                return Held(delay_s, partial(_given, answer()))
            case "latency":
                return Held(delay_s, answer)
            case "timeout":
                if when == "before":
                    effect()
                return Held(delay_s, partial(_hang_up, effect if when == "after" else _nothing))
            case "500" | "429" | "reset" | "garbage":
                self._time(fate, effect)
                return failure(fate)
        return answer()  # happy, or a kind that has nothing to spoil at this endpoint (or is in the answer already)

    def _time(self, fate: Fate, effect: Callable[[], object]) -> None:
        """Let a request that fails at once take effect before, after, or never."""
        if self._mode.charge == "before":
            effect()
        elif self._mode.charge == "after":
            asyncio.get_running_loop().call_later(self._mode.delay_s(fate.kind), _late, effect)

    def _show_mode(self, _: Request) -> Answer:
        return Answer(200, msgspec.json.encode(self._mode))

    def _set_mode(self, request: Request) -> Answer:
        try:
            self._mode = _decode_mode(request.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return problem(400, f"body: {error}")
        return self._show_mode(request)

    def _list_charges(self, _: Request) -> Listing:
        return Listing(self._charges.listing())

    def _show_charge(self, payment_id: PaymentId) -> Answer:
        entry = self._charges.entry(payment_id)
        return Answer(200, msgspec.json.encode(entry)) if entry else problem(404, "this payment was never heard of")

    def _forget_charges(self, _: Request) -> Answer:
        """Forget charges, tombstones and attempts. What is under way still ends, in the book that was put away."""
        self._charges = self._charges.put_away()
        return Answer(204)


def _unless_unkept(make: Callable[[], _Reply]) -> _Reply | Answer:
    """The reply, or 503 when the journal fails: what was not kept has not happened."""
    try:
        return make()
    except OSError as error:
        return problem(503, f"the journal cannot be written: {error.strerror}")


def _charge(charges: Charges, record: Record, request: ChargeRequest, offer: Charge) -> Answer:
    if record.refuses(request):
        return problem(422, "this payment was charged for another request")
    made = charges.take(record, request, offer)
    if record.voided or record.charge is None:
        return voided(record, 409)
    return charged(record.charge, 201 if made else 200)


def _ask(record: Record) -> Answer:
    if record.voided:
        return voided(record)
    return charged(record.charge) if record.charge else problem(404, "no charge was seen for this payment so far")


def _void(charges: Charges, record: Record) -> Answer:
    charges.void(record)
    return _ask(record)


def _offer(request: ChargeRequest, fate: Fate) -> Charge:
    declined = fate.kind == "declined"
    return Charge(
        charge_id=str(uuid4()),
        payment_id=request.payment_id,
        amount=wrong(request.amount) if fate.kind == "wrong_amount" else request.amount,
        currency=request.currency,
        status="DECLINED" if declined else "APPROVED",
        decline_code="DO_NOT_HONOR" if declined else None,
    )


def _late(effect: Callable[[], object]) -> None:
    with suppress(OSError):  # as in `_unless_unkept`, but nobody is there to be told
        effect()


def _given(reply: Settled) -> Settled:
    return reply


def _hang_up(effect: Callable[[], object]) -> Raw:
    effect()
    return Raw(b"")


def _nothing() -> None:
    pass
