"""When the client repeats a request, with which key, how long it waits, and what it says when it gives up."""

from typing import Any

import pytest

from strongbox_client import ApiError, NoAnswer, OutcomeUnknown, UnexpectedAnswer, codes
from strongbox_client.calls import Answer, Call
from strongbox_client.operations.cart import Cart
from strongbox_client.operations.orders import Orders
from strongbox_client.operations.payments import Approved, Declined, Payments
from strongbox_client.operations.system import System
from strongbox_client.operations.wallet import Transfer, Wallet
from strongbox_client.operations.wallets import Wallets
from tests.client.talking import AT, ID, TRANSFER, USER, Script, no, ok, silence, unreachable

SENT = ok(TRANSFER, 201)
PENDING = no(504, "GATEWAY_TIMEOUT", {"payment_id": ID, "status": "PENDING", "refunded": False})
FAILED = no(502, "GATEWAY_ERROR", {"payment_id": ID, "status": "FAILED", "refunded": True})
SHORT = no(409, "INSUFFICIENT_FUNDS", {"currency": "USD", "current_balance": 1, "amount": 5})
BUSY = no(409, "IDEMPOTENCY_IN_PROGRESS", {}, retry_after="1")
AWAY = no(503, "UNAVAILABLE", {}, retry_after="2")
SHUT = no(503, "GATEWAY_UNAVAILABLE", {}, retry_after="3")
OFTEN = no(429, "RATE_LIMITED", {"limit": "user"}, retry_after="1")
CHECKING_OUT = no(409, "CHECKOUT_IN_PROGRESS", {}, retry_after="1")
BUG = no(500, "INTERNAL")
PROXY = Answer(502, {"content-type": "text/html"}, b"<html>Bad Gateway</html>")


def payment(status: str) -> dict[str, Any]:
    return {
        "payment_id": ID, "transaction_id": ID, "user_id": USER, "provider_id": ID, "external_reference": "bill 7",
        "amount": 5, "currency": "USD", "status": status, "failure_code": None, "created_at": AT, "finalized_at": AT,
    }  # fmt: skip


def send(**more: Any) -> Call[Transfer]:
    return Wallet.send.call(to="bob", amount=5, currency="USD", **more)


def pay() -> Call[Approved | Declined]:
    return Wallets.pay.call(USER, provider_id=ID, external_reference="bill 7", amount=5, currency="USD")


@pytest.mark.parametrize("trouble", [silence(), unreachable(), BUSY, OFTEN, AWAY, SHUT, PENDING, PROXY], ids=repr)
def test_what_may_pass_is_asked_again_with_the_same_key(trouble: Answer | NoAnswer) -> None:
    script = Script([trouble, trouble, SENT])
    assert script.run(send()).amount == 5
    assert len(script.sent) == 3
    assert len(script.keys()) == 1
    assert {each.body for each in script.sent} == {script.sent[0].body}


def test_each_call_has_a_key_of_its_own_and_one_that_is_given_is_taken() -> None:
    script = Script([SENT])
    for _ in range(3):
        script.run(send())
    assert len(script.keys()) == 3
    assert Script([SENT]).run(send(key="order-7"))
    assert send(key="order-7").key == "order-7"


@pytest.mark.parametrize("answer", [SHORT, FAILED, no(404, "NOT_FOUND"), no(422, "IDEMPOTENCY_KEY_REUSED")], ids=repr)
def test_a_final_no_is_told_at_once_also_behind_one_that_was_not(answer: Answer) -> None:
    for before in ([], [silence()], [AWAY, PENDING]):
        script = Script([*before, answer])
        with pytest.raises(ApiError) as refused:
            script.run(send())
        assert type(refused.value) in codes.KINDS.values()
        assert len(script.sent) == len(before) + 1


@pytest.mark.parametrize("trouble", [silence(), BUSY, AWAY, PENDING, PROXY], ids=repr)
def test_when_the_deadline_is_over_nobody_knows_and_the_key_is_told(trouble: Answer | NoAnswer) -> None:
    script = Script([trouble])
    with pytest.raises(OutcomeUnknown) as unknown:
        script.run(send(key="order-7"), deadline_s=30)
    assert unknown.value.idempotency_key == "order-7"
    assert unknown.value.__cause__ is unknown.value.last
    assert script.now <= 1030.001
    assert len(script.sent) > 1


def test_a_payment_that_is_pending_to_the_end_is_named() -> None:
    with pytest.raises(OutcomeUnknown) as unknown:
        Script([PENDING]).run(pay())
    assert isinstance(unknown.value.last, codes.GatewayTimeout)
    assert (str(unknown.value.last.payment_id), unknown.value.last.status) == (ID, "PENDING")


@pytest.mark.parametrize("trouble", [unreachable(), OFTEN, SHUT], ids=repr)
def test_what_surely_did_not_happen_is_no_unknown_outcome(trouble: Answer | NoAnswer) -> None:
    with pytest.raises((NoAnswer, ApiError)) as failed:
        Script([trouble]).run(send(), deadline_s=10)
    assert not isinstance(failed.value, OutcomeUnknown)
    for unsure in (silence(), AWAY):  # a later one that surely did nothing does not undo an earlier one
        with pytest.raises(OutcomeUnknown):
            Script([unsure, trouble]).run(send(), deadline_s=30)


def test_a_bug_is_not_hammered_at_and_leaves_open_what_happened() -> None:
    script = Script([BUG])
    with pytest.raises(OutcomeUnknown) as unknown:
        script.run(send())
    assert isinstance(unknown.value.last, codes.Internal)
    assert len(script.sent) == 1


def test_what_has_no_key_is_repeated_only_where_nothing_was_done() -> None:
    def put() -> Call[Any]:
        return Cart.put.call(product_id=ID, qty=1)

    cart = ok({"cart_id": ID, "items": [], "total": 0, "currency": None}, 201)
    for nothing in (unreachable(), OFTEN, CHECKING_OUT):
        assert Script([nothing, cart]).run(put())
    for unsure in (silence(), AWAY, PROXY):
        script = Script([unsure, cart])
        with pytest.raises(OutcomeUnknown) as unknown:
            script.run(put())
        assert unknown.value.idempotency_key is None
        assert len(script.sent) == 1


def test_what_reads_or_is_answered_the_same_again_is_repeated_without_a_key() -> None:
    health = ok({"status": "ok"})
    for trouble in (silence(), AWAY, PROXY):
        assert Script([trouble, health]).run(System.health.call()).status == "ok"
    shipping = Script([silence(), no(409, "ORDER_STATE", {"status": "cancelled"})])
    with pytest.raises(codes.OrderState) as state:
        shipping.run(Orders.ship.call(ID))
    assert state.value.status == "cancelled"


def test_nothing_is_unknown_of_what_was_only_read() -> None:
    with pytest.raises(NoAnswer):
        Script([silence()]).run(Wallet.get.call())
    with pytest.raises(UnexpectedAnswer):
        Script([Answer(200, {}, b"<html>")]).run(Wallet.get.call())


def test_an_answer_that_cannot_be_read_leaves_open_what_was_written() -> None:
    for answer in (Answer(201, {}, b"<html>"), Answer(301, {}, b""), ok({"transfer_id": 7}, 201)):
        with pytest.raises(OutcomeUnknown) as unknown:
            Script([answer]).run(send())
        assert isinstance(unknown.value.last, UnexpectedAnswer)


def test_it_waits_as_it_is_told_and_else_longer_each_time() -> None:
    told = Script([OFTEN, AWAY, no(503, "UNAVAILABLE", {}, retry_after="Fri, 15 Jan 2027 08:00:07 GMT"), SENT])
    told.run(send())
    assert told.waited == [1.0, 2.0, 7.0]
    vague = "Fri, 15 Jan 2027 08:00:07 +" + "9" * 20
    soon = [no(503, "UNAVAILABLE", {}, retry_after=text) for text in ("soon", vague)]
    untold = Script([silence(), *soon * 3, soon[0], SENT])
    untold.run(send(), first_wait_s=0.1, longest_wait_s=2.0)
    assert untold.waited == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0, 2.0]


def test_it_does_not_wait_for_what_comes_after_the_deadline() -> None:
    script = Script([no(429, "RATE_LIMITED", {"limit": "ip"}, retry_after="600"), SENT])
    with pytest.raises(codes.RateLimited) as limited:
        script.run(send())
    assert limited.value.limit == "ip"
    assert script.waited == []


def test_an_attempt_takes_no_longer_than_it_may_and_than_is_left() -> None:
    script = Script([silence()])
    with pytest.raises(OutcomeUnknown):
        script.run(send(), deadline_s=20, attempt_s=15)
    assert [round(each.timeout_s, 1) for each in script.sent] == [15.0, 4.9]


def test_outcomes_are_types() -> None:
    assert isinstance(Script([ok(payment("APPROVED"), 201)]).run(pay()), Approved)
    declined = Script([ok(payment("DECLINED"), 201)]).run(pay())
    assert isinstance(declined, Declined)
    assert declined.status == "DECLINED"
    own = payment("DECLINED") | {"refunded": 0, "metadata": {"order": "7"}}
    found = Script([ok(own)]).run(Payments.get.call(ID))
    assert isinstance(found, Declined)
    assert found.metadata == {"order": "7"}
