"""Whatever contradicts itself among webhooks is found, and nothing else."""

from collections.abc import Sequence
from typing import Any

import pytest

from app.contexts.webhooks.adapters.operations.checks import checks_of_webhooks
from app.contexts.webhooks.domain.endpoint import Status
from app.platform.postgres.evidence import Database
from app.platform.postgres.integrity import snapshot
from app.platform.postgres.walls import OfTenants, Tenants
from tests.platform.peers import Peer, serving
from tests.webhooks.office import Office, Received, Stranger, event


async def offenders(office: Office) -> Sequence[str]:
    """The checks that something offends."""
    own, found = checks_of_webhooks(Database("DATABASE_URL", office.app_url), 30), []
    known = " UNION ALL ".join(f"SELECT '{tenant}'" for tenant in (office.tenant, office.other_tenant))
    async with snapshot(office.app_url) as books:
        tenants = Tenants(books, known)
        for check in [*own.within(books), *(OfTenants(books, tenants, *claim) for claim in own.of_tenants)]:
            found += [check.name async for _ in check.offenders()]
    return found


@pytest.fixture
async def lived(office: Office) -> dict[str, Any]:
    """Endpoints with a bit of everything: what is delivered, has failed, waits, was replayed, is disabled."""

    async def by_type(peer: Peer, received: Received) -> None:
        await peer.answer(500 if received.event["type"] == "a.bad" else 200)

    async with serving(Stranger(by_type)) as server:
        endpoint, _ = await office.endpoint(server.url, "a.*")
        other, _ = await office.endpoint(server.url, tenant=office.other_tenant)
        # what was asked for a while ago is what counts
        office.query("UPDATE webhooks.endpoint_versions SET starts_at = starts_at - interval '1 h'")
        office.query("UPDATE webhooks.endpoints SET created_at = created_at - interval '1 h'")
        async with office.sending():
            await office.hear(event("a.good"), event("a.bad"), event("b.other"))
            await office.happen("a.good", tenant=office.other_tenant)
            await office.sent(endpoint)
            await office.attempted(endpoint, 2)
            await office.sent(other)
        good, bad = sorted(await office.deliveries(endpoint), key=lambda one: one.type, reverse=True)
        for attempt in range(2, 11):
            office.query(
                "INSERT INTO webhooks.attempts (bucket, tenant_id, endpoint_id, delivery_id, round, attempt,"
                " started_at, took_ms, status) SELECT bucket, tenant_id, endpoint_id, id, round, %s, now(), 1, 500"
                " FROM webhooks.deliveries WHERE id = %s", attempt, bad.id,
            )  # fmt: skip
        office.query(
            "UPDATE webhooks.deliveries SET status = 'FAILED', attempts = 10, next_attempt_at = NULL WHERE id = %s",
            bad.id,
        )
    waits = await office.happen("a.good")
    await office.container.manage().change(office.other_tenant, other.id, {"status": Status.DISABLED})
    return {"endpoint": endpoint.id, "good": good.id, "bad": bad.id, "event": waits, "other": other.id}


async def test_webhooks_that_have_lived_are_as_they_should_be(office: Office, lived: dict[str, Any]) -> None:
    assert await offenders(office) == []


ASKED, ENDS, WOKEN = "webhooks_get_what_they_ask_for", "deliveries_end_by_attempts", "webhooks_are_woken"
TAMPERINGS: dict[str, set[str]] = {
    "DELETE FROM webhooks.deliveries WHERE event_id = '{event}'": {ASKED},
    "UPDATE webhooks.endpoint_versions SET types = ARRAY['z.*'] WHERE endpoint_id = '{endpoint}'": {ASKED, WOKEN},
    "UPDATE webhooks.endpoint_versions SET status = 'DISABLED' WHERE endpoint_id = '{endpoint}'": {ASKED, WOKEN},
    "DELETE FROM webhooks.attempts WHERE delivery_id = '{good}'": {ENDS},
    "UPDATE webhooks.attempts SET status = 500 WHERE delivery_id = '{good}'": {ENDS},
    "UPDATE webhooks.attempts SET status = 200 WHERE delivery_id = '{bad}' AND attempt = 3": {ENDS},
    "UPDATE webhooks.deliveries SET attempts = 9 WHERE id = '{bad}'": {ENDS},
    "UPDATE webhooks.deliveries SET type = 'hold.placed', origin = 'replay' WHERE id = '{good}'": {ENDS},
    "UPDATE webhooks.lanes SET wake_at = NULL WHERE endpoint_id = '{endpoint}'": {WOKEN},
    "UPDATE webhooks.lanes SET wake_at = now() + interval '1 h' WHERE endpoint_id = '{endpoint}'": {WOKEN},
    "DELETE FROM webhooks.lanes WHERE endpoint_id = '{endpoint}'": {WOKEN},
    "UPDATE webhooks.lanes SET is_active = true WHERE endpoint_id = '{other}'": {WOKEN},
    "UPDATE webhooks.lanes SET tenant = gen_random_uuid() WHERE endpoint_id = '{endpoint}'": {WOKEN},
    "UPDATE webhooks.endpoints SET version = 7 WHERE id = '{endpoint}'": {WOKEN},
}


@pytest.mark.parametrize(("tampering", "offended"), TAMPERINGS.items())
async def test_what_was_tampered_with_is_found(
    office: Office, lived: dict[str, Any], tampering: str, offended: set[str]
) -> None:
    office.query(tampering.format(**lived))
    assert set(await offenders(office)) == offended


async def test_a_change_just_then_may_count_or_not(office: Office) -> None:
    endpoint, _ = await office.endpoint("https://shop.example/")
    await office.container.manage().change(office.tenant, endpoint.id, {"types": ("b.*",)})
    await office.happen("a.x")
    await office.happen("b.x")
    office.query("DELETE FROM webhooks.deliveries WHERE endpoint_id = %s", endpoint.id)
    assert await offenders(office) == []


async def test_walls_that_are_down_are_found(office: Office) -> None:
    office.query("ALTER TABLE webhooks.deliveries NO FORCE ROW LEVEL SECURITY")
    try:
        assert "webhooks_tenants_are_walled_off" in await offenders(office)
    finally:
        office.query("ALTER TABLE webhooks.deliveries FORCE ROW LEVEL SECURITY")
