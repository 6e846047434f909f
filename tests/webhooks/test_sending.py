"""What is due is sent, signed, until it is answered with success or has failed often enough."""

import asyncio
import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from app.contexts.webhooks.domain.delivery import MOST_ATTEMPTS, DeliveryStatus, Error
from app.contexts.webhooks.domain.endpoint import Reason, Status
from tests.platform.peers import Peer, serving
from tests.webhooks.office import Office, Received, Stranger, event, lane, saying, until


async def test_what_happens_is_posted_signed_and_byte_for_byte(office: Office) -> None:
    stranger = Stranger()
    async with serving(stranger) as server, office.sending():
        endpoint, secret = await office.endpoint(f"{server.url}/hooks?x=1")
        document = event()
        await office.hear(document)
        await office.sent(endpoint)
    (got,) = stranger.got
    assert got.target == "/hooks?x=1"
    assert got.body == document
    assert got.headers["content-type"] == "application/cloudevents+json"
    assert got.headers["webhook-id"] == json.loads(document)["id"]
    assert abs(int(got.headers["webhook-timestamp"]) - datetime.now(UTC).timestamp()) < 60
    assert Webhook(secret).verify(got.body, dict(got.headers)) == json.loads(document)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(got.body + b" ", dict(got.headers))
    # the library is one reading of the specification; here is another
    signed = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    assert len(key) == 32
    mac = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert got.headers["webhook-signature"] == f"v1,{mac}"
    delivery = await office.delivery(endpoint)
    assert (delivery.status, delivery.attempts, delivery.last_status, delivery.last_error) == (
        DeliveryStatus.DELIVERED, 1, 200, None,
    )  # fmt: skip
    assert delivery.delivered_at is not None
    assert delivery.next_attempt_at is None


async def test_for_a_day_the_newest_two_secrets_sign(office: Office) -> None:
    stranger = Stranger()
    async with serving(stranger) as server, office.sending():
        endpoint, first = await office.endpoint(server.url)
        second, third = [await office.container.manage().rotate(office.tenant, endpoint.id) for _ in range(2)]
        await office.happen()
        await office.sent(endpoint)
        office.query("UPDATE webhooks.endpoints SET before_until = now() WHERE id = %s", endpoint.id)
        await office.happen()
        await office.sent(endpoint, 2)
    both, alone = stranger.got
    signatures = both.headers["webhook-signature"].split(" ")
    assert len(signatures) == 2
    for secret in (second, third):
        Webhook(secret).verify(both.body, dict(both.headers))
    third_alone = dict(both.headers) | {"webhook-signature": signatures[0]}
    Webhook(third).verify(both.body, third_alone)
    Webhook(third).verify(alone.body, dict(alone.headers))
    for one, secret in ((both, first), (alone, second)):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(one.body, dict(one.headers))


async def test_a_failure_is_attempted_again_under_the_same_id_and_signed_anew(office: Office) -> None:
    async def second_time(peer: Peer, _: Received) -> None:
        await peer.answer(200 if len(stranger.got) > 1 else 500)

    stranger = Stranger(second_time)
    async with serving(stranger) as server:
        endpoint, secret = await office.endpoint(server.url)
        ((before,),) = office.query("SELECT now()")
        async with office.sending():
            await office.happen()
            await office.attempted(endpoint, 1)
        failed = await office.delivery(endpoint)
        ((after,),) = office.query("SELECT now()")
        assert (failed.status, failed.attempts, failed.last_status) == (DeliveryStatus.PENDING, 1, 500)
        assert failed.next_attempt_at is not None
        assert before + timedelta(seconds=4.5) <= failed.next_attempt_at <= after + timedelta(seconds=5.5)
        assert len(stranger.got) == 1
        async with office.sending():
            office.hurry()
            await office.sent(endpoint)
    first, again = stranger.got
    assert (first.event_id, first.body) == (again.event_id, again.body)
    Webhook(secret).verify(again.body, dict(again.headers))
    assert (await office.delivery(endpoint)).attempts == 2


async def test_after_ten_attempts_it_has_failed(office: Office) -> None:
    stranger = Stranger(saying(500))
    async with serving(stranger) as server, office.sending():
        endpoint, _ = await office.endpoint(server.url)
        await office.happen()
        for attempts in range(1, MOST_ATTEMPTS + 1):
            await office.attempted(endpoint, attempts)
            office.hurry()
        await office.sent(endpoint, status="FAILED")
    assert len(stranger.got) == MOST_ATTEMPTS
    assert (await office.delivery(endpoint)).next_attempt_at is None


async def test_who_asks_to_be_left_alone_for_a_while_is(office: Office) -> None:
    stranger = Stranger(saying(503, "Retry-After: 120"))
    async with serving(stranger) as server, office.sending():
        endpoint, _ = await office.endpoint(server.url)
        await office.happen()
        await office.attempted(endpoint, 1)
    found = (await office.delivery(endpoint)).next_attempt_at
    ((now,),) = office.query("SELECT now()")
    assert found is not None
    assert timedelta(seconds=100) < found - now <= timedelta(seconds=120)


async def test_a_redirect_is_no_success_and_is_not_followed(office: Office) -> None:
    other = Stranger()
    async with serving(other) as elsewhere:
        stranger = Stranger(saying(302, f"Location: {elsewhere.url}"))
        async with serving(stranger) as server, office.sending():
            endpoint, _ = await office.endpoint(server.url)
            await office.happen()
            await office.attempted(endpoint, 1)
    assert (await office.delivery(endpoint)).last_status == 302
    assert other.got == []


async def test_who_is_gone_is_disabled_and_what_waits_is_sent_once_it_is_active_again(office: Office) -> None:
    stranger = Stranger(saying(410))
    async with serving(stranger) as server, office.sending():
        endpoint, _ = await office.endpoint(server.url)
        await office.happen()
        await office.attempted(endpoint, 1)
        await until(lambda: _status(office, endpoint.id) == ("DISABLED", "gone"), "it to be disabled")
        await office.happen("order.shipped")  # it stands, and is asked for: but not by one that is disabled
        office.hurry()
        await asyncio.sleep(0.3)
        assert len(stranger.got) == 1
        stranger.answer = None
        changed = await office.container.manage().change(office.tenant, endpoint.id, {"status": Status.ACTIVE})
        assert changed.reason is None
        office.hurry()
        await office.sent(endpoint)
    assert [one.type for one in await office.deliveries(endpoint)] == ["payment.completed"]
    ((kind, tenant, payload),) = office.query(
        "SELECT type, tenant_id, payload FROM webhooks.outbox_events WHERE subject = %s", endpoint.id
    )
    assert (kind, tenant) == ("webhook.disabled", office.tenant)
    assert payload["data"] == {"webhook_id": str(endpoint.id), "reason": "gone"}
    assert payload["tenantid"] == str(office.tenant)


def _leased(office: Office, endpoint_id: object) -> int:
    ((count,),) = office.query(
        "SELECT count(*) FROM webhooks.deliveries WHERE endpoint_id = %s AND leased", endpoint_id
    )
    return int(count)


def _status(office: Office, endpoint_id: object) -> tuple[str, str | None]:
    ((status, reason),) = office.query("SELECT status, reason FROM webhooks.endpoints WHERE id = %s", endpoint_id)
    return status, reason


async def test_after_72_hours_of_failures_it_is_disabled_each_time_with_an_event_of_its_own(office: Office) -> None:
    stranger = Stranger(saying(500))
    async with serving(stranger) as server, office.sending():
        endpoint, _ = await office.endpoint(server.url)
        for times in (1, 2):
            await office.happen()
            office.hurry()
            await until(lambda: lane(office, endpoint.id)[0] is not None, "it to fail")
            office.query(
                "UPDATE webhooks.lanes SET failing_since = now() - interval '72 h' WHERE endpoint_id = %s", endpoint.id
            )
            office.hurry()
            await until(lambda: _status(office, endpoint.id) == ("DISABLED", Reason.FAILING.value), "the end")
            told = office.query(
                "SELECT sequence FROM webhooks.outbox_events WHERE subject = %s ORDER BY sequence", endpoint.id
            )
            assert told == [(n,) for n in range(1, times + 1)]
            await until(lambda: not _leased(office, endpoint.id), "what is under way to be told")
            await office.container.manage().change(office.tenant, endpoint.id, {"status": Status.ACTIVE})
            assert lane(office, endpoint.id)[0] is None, "what was before counts no more"


async def test_who_has_deleted_an_endpoint_gets_nothing_more_there(office: Office) -> None:
    stranger = Stranger()
    async with serving(stranger) as server:
        endpoint, _ = await office.endpoint(server.url)
        await office.happen()
        await office.container.manage().remove(office.tenant, endpoint.id)
        async with office.sending():
            await asyncio.sleep(0.3)
    assert stranger.got == []


async def test_a_secret_that_was_kept_under_another_key_is_told_and_nothing_is_sent(office: Office) -> None:
    from app.contexts.webhooks.adapters.sealing.seal import AesSeal

    stranger = Stranger()
    async with serving(stranger) as server, office.sending(office.sender(seal=AesSeal("another-key-of-webhooks"))):
        endpoint, _ = await office.endpoint(server.url)
        await office.happen()
        await office.attempted(endpoint, 1)
    assert stranger.got == []
    assert (await office.delivery(endpoint)).last_error == Error.SECRET.value
