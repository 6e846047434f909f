"""Of each event one delivery is written down for each endpoint that asked for it at its time, and for no other."""

import asyncio
import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from psycopg.errors import LockNotAvailable

from app.contexts.funds.public import EVENTS
from app.contexts.webhooks.context import HEARS, QUEUE
from app.contexts.webhooks.domain.endpoint import Status, is_kept_from_all
from app.main.contexts import CONTEXTS
from app.platform.messaging.received_events import Malformed
from tests.webhooks.office import Office, event

URL = "https://shop.example/hook"


async def kinds(office: Office, endpoint: object) -> list[str]:
    return [one.type for one in await office.deliveries(endpoint)]  # type: ignore[arg-type]


def test_every_exchange_of_the_house_is_heard() -> None:
    assert {context.publication.exchange.name for context in CONTEXTS if context.publication} == set(HEARS)
    assert QUEUE.takes("user.address_linked")
    audited = EVENTS.queue("audit.queue").bindings
    assert {*HEARS[EVENTS.name]} == {key for key in audited if not is_kept_from_all(key)}
    assert (QUEUE.ordered, QUEUE.yields) == (True, True)


async def test_an_event_is_for_those_who_ask_for_it(office: Office) -> None:
    every, _ = await office.endpoint(URL)
    orders, _ = await office.endpoint(URL, "order.*", "payment.failed")
    one, _ = await office.endpoint(URL, "payment.completed")
    for kind in ("payment.completed", "order.shipped", "payment.failed", "refund.created"):
        await office.happen(kind)
    assert await kinds(office, every) == ["payment.completed", "order.shipped", "payment.failed", "refund.created"]
    assert await kinds(office, orders) == ["order.shipped", "payment.failed"]
    assert await kinds(office, one) == ["payment.completed"]


async def test_whatever_comes_again_is_written_down_once(office: Office) -> None:
    endpoint, _ = await office.endpoint(URL)
    first, second = event(), event()
    await office.hear(first, first, second)
    await office.hear(second, first)
    assert len(await office.deliveries(endpoint)) == 2


async def test_two_who_hear_the_same_at_once_write_it_down_once(office: Office) -> None:
    endpoint, _ = await office.endpoint(URL)
    documents = [event() for _ in range(50)]

    async def hear() -> None:
        while True:
            with suppress(LockNotAvailable):  # as on a busy machine one may; then they come again
                return await office.hear(*documents)

    await asyncio.gather(*(hear() for _ in range(4)))
    assert len(await office.deliveries(endpoint)) == 50


async def test_nobody_hears_of_another_tenants_events(office: Office) -> None:
    ours, _ = await office.endpoint(URL)
    theirs, _ = await office.endpoint(URL, tenant=office.other_tenant)
    await office.happen("payment.completed")
    await office.happen("order.shipped", tenant=office.other_tenant)
    assert await kinds(office, ours) == ["payment.completed"]
    assert await kinds(office, theirs) == ["order.shipped"]


async def test_what_is_no_tenants_and_what_is_of_holds_is_for_nobody(office: Office) -> None:
    endpoint, _ = await office.endpoint(URL)
    await office.container.hearing()([(event(tenantid=str(office.tenant)), None)])
    await office.hear(event("hold.placed"), event("hold.captured"))
    assert await office.deliveries(endpoint) == []
    assert office.query("SELECT count(*) FROM webhooks.events WHERE tenant_id = %s", office.tenant) == [(0,)]


async def test_what_is_no_event_is_malformed(office: Office) -> None:
    with pytest.raises(Malformed):
        await office.hear(b"{}")


async def test_an_event_goes_by_what_was_asked_for_at_its_time_whenever_it_is_heard(office: Office) -> None:
    endpoint, _ = await office.endpoint(URL, "payment.*")
    before = datetime.now(UTC) - timedelta(hours=1)
    ((then,),) = office.query("SELECT clock_timestamp()")
    manage = office.container.manage()
    changed = await manage.change(office.tenant, endpoint.id, {"types": ("order.*",)})
    await manage.change(office.tenant, endpoint.id, {"status": Status.DISABLED})
    ((disabled,),) = office.query("SELECT clock_timestamp()")
    await office.hear(
        event("payment.completed", at=before), event("payment.completed", at=then), event("order.shipped", at=then),
        event("order.paid", at=changed.updated_at), event("payment.failed", at=changed.updated_at),
        event("order.refunded", at=disabled + timedelta(seconds=1)),
    )  # fmt: skip
    assert sorted(await kinds(office, endpoint)) == ["order.paid", "payment.completed"]


async def test_who_is_gone_gets_nothing_more(office: Office) -> None:
    endpoint, _ = await office.endpoint(URL)
    document = event()
    await office.container.manage().remove(office.tenant, endpoint.id)
    await office.hear(document)
    assert office.query("SELECT count(*) FROM webhooks.deliveries WHERE endpoint_id = %s", endpoint.id) == [(0,)]


async def test_the_document_is_kept_byte_for_byte(office: Office) -> None:
    document = event()
    await office.hear(document)
    found = office.query("SELECT document FROM webhooks.events WHERE event_id = %s", json.loads(document)["id"])
    assert found == [(document,)]


async def test_where_the_deliveries_cannot_be_written_the_event_is_not_known_either(office: Office) -> None:
    """The event comes again then: were it known, it would never be sent."""
    endpoint, _ = await office.endpoint(URL)
    document = event()
    office.query(
        "ALTER TABLE webhooks.deliveries ADD CONSTRAINT never CHECK (event_id <> %s::uuid)".replace(
            "%s", f"'{UUID(json.loads(document)['id'])}'"
        )
    )
    try:
        with pytest.raises(Exception, match="never"):
            await office.hear(document)
    finally:
        office.query("ALTER TABLE webhooks.deliveries DROP CONSTRAINT never")
    await office.hear(document)
    assert len(await office.deliveries(endpoint)) == 1


async def test_a_thousand_events_are_for_twenty_endpoints(office: Office) -> None:
    endpoints = [(await office.endpoint(URL, f"kind{n % 4}.*"))[0] for n in range(20)]
    await office.hear(*(event(f"kind{n % 4}.x", subject=uuid4()) for n in range(400)))
    assert {len(await office.deliveries(one)) for one in endpoints} == {100}
