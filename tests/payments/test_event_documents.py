"""A payment's events, byte for byte: what reads them, and what is hashed of them, goes by the text."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from app.contexts.funds.domain.ids import TransactionId
from app.contexts.payments.adapters.postgres.event_documents import document
from app.contexts.payments.domain import events
from app.contexts.payments.domain.events import Event
from app.contexts.payments.domain.ids import PaymentId, ProviderId
from app.contexts.payments.domain.payment import Payment, Status
from app.kernel.ids import EventId, UserId
from app.kernel.money import Currency, Money

_AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
_PENDING = Payment(
    id=PaymentId(UUID(int=1)),
    transaction_id=TransactionId(UUID(int=2)),
    user_id=UserId(UUID(int=3)),
    idempotency_key="k",
    provider_id=ProviderId(UUID(int=4)),
    external_reference='ß "7"\n\u2028',
    money=Money(2**63 - 1, Currency("USD")),
    created_at=_AT,
    status=Status.PENDING,
    failure_code=None,
    void_requested_at=None,
    finalized_at=None,
    traceparent=f"00-{'a' * 32}-{'b' * 16}-01",
)
_DECLINED = _PENDING._replace(
    status=Status.DECLINED, failure_code="NO_FUNDS", finalized_at=_AT + timedelta(seconds=1), traceparent=None
)

_ENVELOPE = (
    '{"specversion":"1.0","id":"00000000-0000-0000-0000-00000000000%s","source":"/strongbox","type":"%s",'
    '"subject":"00000000-0000-0000-0000-000000000001","time":"2026-01-02T03:04:0%s.678901Z",'
    '"datacontenttype":"application/json","dataschema":"urn:strongbox:schema:%s:1","sequence":%s,%s"data":'
)
_TRACE = '"traceparent":"00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-01",'
_PAYMENT = (
    '{"payment_id":"00000000-0000-0000-0000-000000000001","transaction_id":"00000000-0000-0000-0000-000000000002",'
    '"user_id":"00000000-0000-0000-0000-000000000003","provider_id":"00000000-0000-0000-0000-000000000004",'
    '"external_reference":"ß \\"7\\"\\n\u2028","amount":9223372036854775807,"currency":"USD",'
    '"status":"%s","failure_code":%s,"created_at":"2026-01-02T03:04:05.678901Z","finalized_at":%s}}'
)
_REFUND = (
    '{"refund_id":"00000000-0000-0000-0000-000000000007","payment_id":"00000000-0000-0000-0000-000000000001",'
    '"user_id":"00000000-0000-0000-0000-000000000003","amount":9223372036854775807,"currency":"USD",'
    '"created_at":"2026-01-02T03:04:06.678901Z"}}'
)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (
            events.created(_PENDING, EventId(UUID(int=5))),
            _ENVELOPE % (5, "payment.created", 5, "payment", 1, _TRACE) + _PAYMENT % ("PENDING", "null", "null"),
        ),
        (
            events.settled(_DECLINED, EventId(UUID(int=6))),
            _ENVELOPE % (6, "payment.failed", 6, "payment", 2, "")
            + _PAYMENT % ("DECLINED", '"NO_FUNDS"', '"2026-01-02T03:04:06.678901Z"'),
        ),
        (
            events.refunded(_DECLINED, TransactionId(UUID(int=7)), EventId(UUID(int=8)), _AT + timedelta(seconds=1)),
            _ENVELOPE % (8, "refund.created", 6, "refund", 3, "") + _REFUND,
        ),
    ],
    ids=["created", "failed", "refunded"],
)
def test_an_event_is_written_as_it_always_was(event: Event, expected: str) -> None:
    assert document(event) == expected
