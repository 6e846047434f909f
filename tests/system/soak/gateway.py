"""A gateway that misbehaves in all of its ways at once: the mock gateway, with a mode drawn for every request.

`PUT /admin/mode {"mode": "random", "seed": N}` sets the mixture; every other mode is the mock's own. What is drawn
follows from the seed, the payment's reference, the endpoint and the attempt: neither the clock nor the ids, which are
new in every run, have a say.
"""

import asyncio
import os
import signal
from hashlib import blake2b
from typing import Any, Final

import msgspec
import uvloop

from mock_gateway.__main__ import read_settings
from mock_gateway.charges import Attempts, ChargeRequest, Charges
from mock_gateway.gateway import Gateway, Request
from mock_gateway.modes import Endpoint, Mode
from mock_gateway.refunds import RefundRequest
from mock_gateway.replies import Reply
from mock_gateway.server import serve
from mock_gateway.values import PaymentId, RefundId

# How many of a thousand requests, and what becomes of them. A late charge comes while its request is still looked
# into, or after it was given up.
MIXTURE: Final[dict[Endpoint, list[tuple[int, dict[str, Any]]]]] = {
    "charge": [
        (30, {"mode": "declined"}),
        (15, {"mode": "500"}),
        (15, {"mode": "500", "charge": "before"}),
        (15, {"mode": "timeout", "latency_ms": 1_000}),
        (15, {"mode": "timeout", "latency_ms": 1_000, "charge": "before"}),
        (30, {"mode": "reset", "charge": "before"}),
        (10, {"mode": "timeout", "latency_ms": 1_200, "charge": "after"}),
        (10, {"mode": "timeout", "latency_ms": 3_500, "charge": "after"}),
        (10, {"mode": "429"}),
        (5, {"mode": "wrong_amount", "charge": "before"}),
        (5, {"mode": "garbage", "charge": "before"}),
        (5, {"mode": "garbage"}),
    ],
    # A refund that was recorded with another amount would need somebody to settle it: it is only shown so.
    "refund": [
        (20, {"mode": "declined"}),
        (30, {"mode": "500"}),
        (30, {"mode": "500", "charge": "before"}),
        (20, {"mode": "timeout", "latency_ms": 1_000}),
        (20, {"mode": "timeout", "latency_ms": 1_000, "charge": "before"}),
        (30, {"mode": "reset", "charge": "before"}),
        (20, {"mode": "timeout", "latency_ms": 1_200, "charge": "after"}),
        (10, {"mode": "429"}),
        (10, {"mode": "wrong_amount"}),
        (10, {"mode": "garbage", "charge": "before"}),
        (10, {"mode": "garbage"}),
    ],
    # Who asks or voids is in trouble already: what follows a silence is often another one.
    "ask": [
        (60, {"mode": "500"}),
        (90, {"mode": "timeout", "latency_ms": 1_000}),
        (20, {"mode": "garbage"}),
        (10, {"mode": "wrong_amount"}),
    ],
    "void": [
        (30, {"mode": "500"}),
        (30, {"mode": "500", "charge": "before"}),
        (60, {"mode": "timeout", "latency_ms": 1_000, "charge": "after"}),
        (30, {"mode": "reset", "charge": "before"}),
        (20, {"mode": "garbage"}),
    ],
}
STUBBORN_FOR: Final = 4
"""With half of the payments so many attempts go the same way: repeating it once or twice does not help them."""
_HAPPY: Final = Mode("happy")


class MixingGateway(Gateway):
    """The mock gateway whose `random` is the mixture."""

    def __init__(self, mode: Mode, charges: Charges) -> None:
        super().__init__(mode, charges)
        self._references: dict[str, str] = {}

    def handle(self, request: Request) -> Reply:
        """As the mock does, in the mode that was drawn for this request."""
        standing = self._mode
        if standing.mode == "wrong_amount" and request.path.endswith("/refunds"):
            self._mode = msgspec.structs.replace(standing, charge="never")
        elif standing.mode != "random" or not request.path.startswith("/charges"):
            return super().handle(request)
        else:
            self._mode = self._drawn(request, standing.seed)
        try:
            return super().handle(request)
        finally:
            self._mode = standing

    def _drawn(self, request: Request, seed: int | str) -> Mode:
        endpoint, payment_id, refund_id = self._looked_at(request)
        reference = self._references.get(payment_id, payment_id)
        if refund_id:
            heard = self._charges.refunds.of(PaymentId(payment_id), RefundId(refund_id))
            nth = getattr(heard.attempts, endpoint)
            reference = f"{reference}/refund"
        else:
            attempts = self._charges.of(PaymentId(payment_id)).attempts if payment_id else Attempts()
            nth = getattr(attempts, endpoint, 0)
        if _number(f"{seed}/{reference}") % 2:
            nth //= STUBBORN_FOR
        subject = f"{seed}/{reference}/{endpoint}/{nth}"
        drawn = _number(subject) % 1000
        for share, members in MIXTURE[endpoint]:
            if drawn < share:
                return msgspec.convert(members | {"applies_to": endpoint, "seed": subject[:100]}, Mode)
            drawn -= share
        return _HAPPY

    def _looked_at(self, request: Request) -> tuple[Endpoint, str, str]:
        """Which endpoint, and the ids of the payment and of the refund, or nothing in their place."""
        match request.path.split("/"):
            case ["", "charges", payment_id]:
                return "ask", payment_id, ""
            case ["", "charges", payment_id, "void"]:
                return "void", payment_id, ""
            case ["", "charges", payment_id, "refunds", refund_id]:
                return "ask", payment_id, refund_id
            case ["", "charges", payment_id, "refunds"]:
                try:
                    return "refund", payment_id, msgspec.json.decode(request.body, type=RefundRequest).refund_id
                except msgspec.DecodeError:
                    return "refund", payment_id, ""
        try:
            body = msgspec.json.decode(request.body, type=ChargeRequest)
        except msgspec.DecodeError:
            return "charge", "", ""
        self._references[body.payment_id] = body.external_reference
        return "charge", body.payment_id, ""


def _number(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


async def run() -> None:
    """Serve until SIGTERM or SIGINT, where the mock's settings say."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    settings = read_settings(os.environ)
    gateway = MixingGateway(Mode(settings.mode), Charges())
    await serve(gateway.handle, settings.host, settings.port, stop, lambda _port: None)


if __name__ == "__main__":
    uvloop.run(run())
