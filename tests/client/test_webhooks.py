"""What arrives at an endpoint: held against the specification's own library, which signs it and verifies the same."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from strongbox_client import WebhookRefused, verify_webhook

SECRET, OTHER = ("whsec_" + b64encode(bytes(range(first, first + 32))).decode() for first in (0, 32))
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
EVENT = {
    "specversion": "1.0", "id": "0193a5b2-7c4e-7d10-8f21-3b6a9c0e5d42", "source": "/strongbox",
    "type": "payment.completed", "subject": "0193a5b2-7c4e-7d11-a1b2-5e8d7c6b4a31", "time": "2026-11-28T11:59:58Z",
    "datacontenttype": "application/json", "dataschema": "payment.1.json", "sequence": 2, "data": {"amount": 1250},
}  # fmt: skip
BODY = msgspec.json.encode(EVENT)


def signed(secret: str = SECRET, body: bytes = BODY, at: datetime = NOW, id: str = str(EVENT["id"])) -> dict[str, str]:
    """The headers that the specification's library makes."""
    return {
        "webhook-id": id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(id, at, body.decode()),
    }


def test_what_the_service_signs_is_an_event() -> None:
    event = verify_webhook(SECRET, signed(), BODY, now=NOW.timestamp())
    assert (event.id, event.type, event.subject) == (EVENT["id"], "payment.completed", EVENT["subject"])
    assert (event.sequence, event.data, event.time) == (2, {"amount": 1250}, NOW - timedelta(seconds=2))


def test_headers_may_be_spelt_in_any_way_and_a_body_may_be_text() -> None:
    shouted = {name.upper(): value for name, value in signed().items()} | {"Host": "shop.example"}
    assert verify_webhook([SECRET], shouted, BODY.decode(), now=NOW.timestamp()).id == EVENT["id"]


def test_while_a_secret_changes_either_is_good() -> None:
    both = signed() | {"webhook-signature": f"{signed(OTHER)['webhook-signature']} {signed()['webhook-signature']}"}
    for secrets in (SECRET, OTHER, [OTHER, SECRET], iter([SECRET])):
        assert verify_webhook(secrets, both, BODY, now=NOW.timestamp())
    assert verify_webhook([OTHER, SECRET], signed(), BODY, now=NOW.timestamp())


@pytest.mark.parametrize(("late_s", "is_good"), [(0, True), (300, True), (-300, True), (301, False), (-301, False)])
def test_five_minutes_are_let_pass_either_way(late_s: int, is_good: bool) -> None:
    now = NOW.timestamp() + late_s
    if is_good:
        assert verify_webhook(SECRET, signed(), BODY, now=now)
    else:
        with pytest.raises(WebhookRefused, match="too far"):
            verify_webhook(SECRET, signed(), BODY, now=now)


def test_a_time_of_more_digits_than_python_reads_is_none() -> None:
    with pytest.raises(WebhookRefused, match="no time"):
        verify_webhook(SECRET, signed() | {"webhook-timestamp": "1" * 5_000}, BODY)


def test_without_a_time_it_is_now() -> None:
    assert verify_webhook(SECRET, signed(at=datetime.now(UTC)), BODY)
    with pytest.raises(WebhookRefused):
        verify_webhook(SECRET, signed(at=datetime.now(UTC) - timedelta(minutes=6)), BODY)


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "another"},
        {"webhook-timestamp": str(int(NOW.timestamp()) + 1)},
        {"webhook-timestamp": "soon"},
        {"webhook-timestamp": "-1"},
        {"webhook-timestamp": "١٢٣"},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,ä"},
        {"webhook-signature": "v2," + signed()["webhook-signature"].removeprefix("v1,")},
        {"webhook-signature": signed()["webhook-signature"][:-4]},
        {"webhook-signature": signed(OTHER)["webhook-signature"]},
    ],
    ids=str,
)
def test_what_is_not_signed_by_the_secret_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(WebhookRefused):
        verify_webhook(SECRET, signed() | change, BODY, now=NOW.timestamp())


def test_a_header_that_is_missing_is_named() -> None:
    for name in signed():
        with pytest.raises(WebhookRefused, match=name):
            verify_webhook(SECRET, {key: value for key, value in signed().items() if key != name}, BODY)


def test_a_body_that_is_signed_and_no_event_is_refused() -> None:
    for body in (b"", b"[]", b'{"id": 7}', b"\xff"):
        headers = signed(body=b"") if body == b"\xff" else signed(body=body)
        with pytest.raises(WebhookRefused):
            verify_webhook(SECRET, headers, body, now=NOW.timestamp())


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_not base64!", "whsec_ä"])
def test_a_secret_that_is_none_is_an_error_of_whoever_gives_it(secret: str) -> None:
    with pytest.raises(ValueError, match="whsec_"):
        verify_webhook(secret, signed(), BODY)


@given(some.binary(min_size=1, max_size=64), some.text(max_size=200), some.text(max_size=20), some.integers(0, 600))
def test_it_says_what_the_specifications_library_says(key: bytes, text: str, other: str, late_s: int) -> None:
    secret = "whsec_" + b64encode(key).decode()
    at = datetime.now(UTC) - timedelta(seconds=late_s)
    body = msgspec.json.encode(EVENT | {"data": text})
    headers = signed(secret, body, at)
    sent = body if len(other) % 2 else body.replace(b"payment", b"refund")
    try:
        Webhook(secret).verify(sent, headers)
        is_good = True
    except WebhookVerificationError:
        is_good = False
    if 290 <= late_s <= 310:
        return  # seconds may pass between the two, and before them
    try:
        assert verify_webhook(secret, headers, sent).data == text
        assert is_good
    except WebhookRefused:
        assert not is_good
