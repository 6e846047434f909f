"""Whatever becomes of each attempt: what a call ends with is what has happened, and it has happened once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as some

from strongbox_client import OutcomeUnknown, StrongboxError
from strongbox_client.calls import Answer, Call
from strongbox_client.errors import NoAnswer
from strongbox_client.operations.cart import Cart
from strongbox_client.operations.wallet import Wallet
from strongbox_client.terms import Send
from tests.client.talking import ID, TRANSFER, Script, no, ok, silence, unreachable

CART = ok({"cart_id": ID, "items": [], "total": 0, "currency": None}, 201)
BEFORE_THE_KEY: Mapping[str, Answer | NoAnswer] = {
    "nobody listens": unreachable(),
    "too often": no(429, "RATE_LIMITED", {"limit": "user"}, retry_after="1"),
    "the token ended": no(401, "UNAUTHORIZED"),
    "malformed": no(400, "VALIDATION_ERROR"),
    "lost on the way": silence(),
    "overload": no(503, "UNAVAILABLE", {}, retry_after="1"),
    "no gateway's proxy": Answer(502, {}, b"<html>"),
}
"""Nothing is done, whatever was done before."""
DONE_BUT: Mapping[str, Answer | NoAnswer] = {
    "the answer is lost": silence(),
    "the database is away": no(503, "UNAVAILABLE", {}, retry_after="2"),
    "it takes long": no(409, "IDEMPOTENCY_IN_PROGRESS", {}, retry_after="1"),
    "a proxy cuts": Answer(504, {}, b""),
    "a bug": no(500, "INTERNAL"),
    "the gateway is silent": no(504, "GATEWAY_TIMEOUT", {"status": "PENDING", "payment_id": ID, "refunded": False}),
}
"""It is done, once, and the client is not told."""
UNLESS_DONE = {
    "short": no(409, "INSUFFICIENT_FUNDS", {"currency": "USD", "current_balance": 1, "amount": 5}),
    "failed": no(502, "GATEWAY_ERROR", {"status": "FAILED", "payment_id": ID, "refunded": True}),
    "nobody": no(404, "NOT_FOUND"),
    "shut": no(503, "GATEWAY_UNAVAILABLE", {}, retry_after="1"),
}
"""Behind the look at the key: what was done is told again instead."""
FATES = [*BEFORE_THE_KEY, *DONE_BUT, *UNLESS_DONE, "answered"]


@dataclass
class Service(Script):
    """One that keeps keys, and to whose every request something of this happens in turn."""

    fates: list[str] = field(default_factory=list)
    done: int = 0
    is_keyed: bool = True

    def end_of(self, call: Call[Any]) -> StrongboxError | None:
        """What the call ends with; None is well."""
        try:
            self.run(call, deadline_s=40)
        except StrongboxError as error:
            return error
        return None

    def _answer(self, send: Send) -> Answer | NoAnswer:
        fate = self.fates[min(len(self.sent), len(self.fates) - 1)]
        self.answers = [self._what_comes_of_it(fate)]
        return super()._answer(send)

    def _what_comes_of_it(self, fate: str) -> Answer | NoAnswer:
        if fate in BEFORE_THE_KEY:
            return BEFORE_THE_KEY[fate]
        if fate in UNLESS_DONE and not (self.is_keyed and self.done):
            return UNLESS_DONE[fate]
        self.done = 1 if self.is_keyed else self.done + 1
        return DONE_BUT.get(fate, ok(TRANSFER, 201) if self.is_keyed else CART)


@given(some.lists(some.sampled_from(FATES), min_size=1, max_size=8))
def test_what_has_a_key_is_done_or_not_as_it_says(fates: list[str]) -> None:
    service = Service([], fates=fates)
    ended = service.end_of(Wallet.send.call(to="bob", amount=5, currency="USD"))
    if isinstance(ended, OutcomeUnknown):
        assert {ended.idempotency_key} == service.keys()
    else:
        assert service.done == (ended is None)
    assert len(service.keys()) == 1
    assert service.now <= 1040.01


@given(some.lists(some.sampled_from(FATES), min_size=1, max_size=8))
def test_what_has_no_key_is_never_done_twice(fates: list[str]) -> None:
    service = Service([], fates=fates, is_keyed=False)
    ended = service.end_of(Cart.put.call(product_id=ID, qty=1))
    if isinstance(ended, OutcomeUnknown):
        assert ended.idempotency_key is None
        assert service.done <= 1
    else:
        assert service.done == (ended is None)
