"""A claim is a lease that counts the attempt: what its holder tells too late counts only where it is a success."""

import asyncio
from typing import Any

import pytest

from app.contexts.webhooks.application.sending import Claim, Ended
from app.contexts.webhooks.domain.delivery import MOST_ATTEMPTS, Delivery, DeliveryStatus, Error, Result
from app.contexts.webhooks.domain.endpoint import Endpoint
from tests.platform.peers import Peer, serving
from tests.webhooks.office import Office, Received, Stranger, event, until

URL = "http://127.0.0.1:9/"


async def claimed(office: Office, most: int = 100) -> list[Claim]:
    return list(await office.container.send()._sending.claim(office.tenant, most))


async def told(office: Office, claim: Claim, result: Result) -> None:
    ((now,),) = office.query("SELECT now()")
    await office.container.record()(office.tenant, [Ended(claim, now, result)])


async def state(office: Office, endpoint: Endpoint) -> tuple[DeliveryStatus, int, Any]:
    found: Delivery = await office.delivery(endpoint)
    return found.status, found.attempts, found.last_status or found.last_error


async def test_what_is_claimed_is_nobody_elses(office: Office) -> None:
    await office.endpoint(URL)
    await office.hear(*(event() for _ in range(30)))
    first = await claimed(office)
    assert len(first) == 8
    office.query("UPDATE webhooks.lanes SET wake_at = now() WHERE tenant = %s", office.tenant)
    assert await claimed(office) == []


async def test_many_who_claim_at_once_get_no_more_than_eight_of_an_endpoint(office: Office) -> None:
    await office.endpoint(URL)
    await office.hear(*(event() for _ in range(100)))
    for _ in range(20):
        found = await asyncio.gather(*(claimed(office) for _ in range(5)))
        assert sum(map(len, found)) <= 8
        office.query("UPDATE webhooks.lanes SET wake_at = now() WHERE tenant = %s", office.tenant)
    ((leased,),) = office.query(
        "SELECT count(*) FROM webhooks.deliveries WHERE leased AND tenant_id = %s", office.tenant
    )
    assert leased == 8


async def test_a_little_room_is_shared_out_among_endpoints(office: Office) -> None:
    endpoints = [(await office.endpoint(URL))[0] for _ in range(4)]
    await office.hear(*(event() for _ in range(30)))
    found = [claim.endpoint_id for claim in await claimed(office, 8)]
    assert sorted(found) == sorted([one.id for one in endpoints] * 2)
    assert len(await claimed(office, 8)) == 8, "and whoever has room has the next turn"


async def test_a_lease_that_ended_is_another_attempt(office: Office) -> None:
    endpoint, _ = await office.endpoint(URL)
    await office.happen()
    (lost,) = await claimed(office)
    office.end_leases()
    (second,) = await claimed(office)
    assert (lost.attempt, second.attempt, lost.event_id) == (1, 2, second.event_id)
    await told(office, lost, Result(500))
    assert await state(office, endpoint) == (DeliveryStatus.PENDING, 2, None), "too late"
    await told(office, second, Result(503))
    assert await state(office, endpoint) == (DeliveryStatus.PENDING, 2, 503)


async def test_a_success_counts_however_late_it_is_told(office: Office) -> None:
    endpoint, _ = await office.endpoint(URL)
    await office.happen()
    (lost,) = await claimed(office)
    office.end_leases()
    (second,) = await claimed(office)
    await told(office, lost, Result(200))
    assert await state(office, endpoint) == (DeliveryStatus.DELIVERED, 2, 200)
    await told(office, second, Result(500))
    assert await state(office, endpoint) == (DeliveryStatus.DELIVERED, 2, 200)


@pytest.mark.parametrize("order", [1, -1])
async def test_of_two_attempts_that_are_told_together_the_success_counts(office: Office, order: int) -> None:
    endpoint, _ = await office.endpoint(URL)
    await office.happen()
    (first,) = await claimed(office)
    office.end_leases()
    (second,) = await claimed(office)
    ((now,),) = office.query("SELECT now()")
    ended = [Ended(first, now, Result(200)), Ended(second, now, Result(500))][::order]
    await office.container.record()(office.tenant, ended)
    assert await state(office, endpoint) == (DeliveryStatus.DELIVERED, 2, 200)


async def test_what_was_begun_anew_is_not_ended_by_what_was_before(office: Office) -> None:
    endpoint, _ = await office.endpoint(URL)
    await office.happen()
    (claim,) = await claimed(office)
    await office.container.send_again().redeliver(office.tenant, endpoint.id, claim.delivery_id)
    await told(office, claim, Result(200))
    assert await state(office, endpoint) == (DeliveryStatus.PENDING, 0, None)
    office.end_leases()
    (again,) = await claimed(office)
    assert (again.round, again.attempt, again.event_id) == (1, 1, claim.event_id)


async def test_who_never_tells_of_the_last_attempt_has_made_it(office: Office) -> None:
    endpoint, _ = await office.endpoint(URL)
    await office.happen()
    for attempt in range(1, MOST_ATTEMPTS + 1):
        (claim,) = await claimed(office)
        assert claim.attempt == attempt
        office.end_leases()
    assert await claimed(office) == []
    assert await state(office, endpoint) == (DeliveryStatus.FAILED, MOST_ATTEMPTS, Error.LOST.value)
    await told(office, claim, Result(204))
    assert await state(office, endpoint) == (DeliveryStatus.DELIVERED, MOST_ATTEMPTS, 204)


async def test_the_same_told_twice_is_told_once(office: Office) -> None:
    endpoint, _ = await office.endpoint(URL)
    await office.happen()
    (claim,) = await claimed(office)
    for _ in range(2):
        await told(office, claim, Result(500))
    assert office.query("SELECT count(*) FROM webhooks.attempts WHERE endpoint_id = %s", endpoint.id) == [(1,)]
    assert (await office.delivery(endpoint)).attempts == 1


async def test_where_nobody_answers_one_is_claimed_at_a_time(office: Office) -> None:
    endpoint, _ = await office.endpoint(URL)
    await office.hear(*(event() for _ in range(20)))
    for claim in await claimed(office):
        await told(office, claim, Result(error=Error.TIMEOUT))
    ((waits,),) = office.query("SELECT wake_at > now() FROM webhooks.lanes WHERE endpoint_id = %s", endpoint.id)
    assert waits
    assert await claimed(office) == []
    await office.happen()
    assert await claimed(office) == [], "what is new wakes nobody before its time"
    office.query("UPDATE webhooks.lanes SET open_until = now(), wake_at = now() WHERE endpoint_id = %s", endpoint.id)
    assert len(await claimed(office)) == 1


async def test_a_process_that_stood_still_does_not_call_for_a_lease_that_is_over(office: Office) -> None:
    stranger = Stranger()
    async with serving(stranger) as server:
        await office.endpoint(server.url)
        await office.happen()
        (claim,) = await claimed(office)
        sender = office.sender()
        await sender._attempt(_over(claim))
    assert stranger.got == []


def _over(claim: Claim) -> Claim:
    from dataclasses import replace

    return replace(claim, until=asyncio.get_running_loop().time() + 1)


async def test_what_is_under_way_when_a_sender_is_told_to_stop_is_finished_and_written_down(office: Office) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def later(peer: Peer, _: Received) -> None:
        begun.set()
        await go_on.wait()
        await peer.answer(200)

    async with serving(Stranger(later)) as server:
        endpoint, _ = await office.endpoint(server.url)
        await office.happen()
        stop = asyncio.Event()
        running = asyncio.create_task(office.sender().run(stop))
        await begun.wait()
        stop.set()
        await asyncio.sleep(0.05)
        go_on.set()
        await running
    assert (await office.delivery(endpoint)).status is DeliveryStatus.DELIVERED


async def test_while_nothing_can_be_written_down_nothing_is_lost(office: Office) -> None:
    """The lane is held by somebody for longer than one waits for a lock."""
    import psycopg

    stranger = Stranger()
    async with serving(stranger) as server:
        endpoint, _ = await office.endpoint(server.url)
        await office.happen()
        async with await psycopg.AsyncConnection.connect(office.superuser_url) as holder:
            sender = office.sender()
            stop = asyncio.Event()
            running = asyncio.create_task(sender.run(stop))
            await until(lambda: stranger.got or not running, "the call")
            await holder.execute("SELECT FROM webhooks.lanes WHERE endpoint_id = %s FOR UPDATE", [endpoint.id])
            await asyncio.sleep(1.0)
            await holder.rollback()
        await office.sent(endpoint)
        stop.set()
        await running
    assert len(stranger.got) == 1
