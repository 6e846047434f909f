"""Deliveries are kept as long as it is set, events a little longer, and what is under way is kept."""

import asyncio

from tests.platform.peers import serving
from tests.webhooks.office import Office, Stranger, event

URL = "https://shop.example/"


def rows(office: Office) -> tuple[int, int, int]:
    """Deliveries, attempts, events of the tenant's."""
    return tuple(
        office.query(f"SELECT count(*) FROM webhooks.{table} WHERE tenant_id = %s", office.tenant)[0][0]
        for table in ("deliveries", "attempts", "events")
    )


def age(office: Office, days: float) -> None:
    """As if so much time had passed since."""
    for table, column in (("deliveries", "created_at"), ("attempts", "started_at"), ("events", "occurred_at")):
        office.query(
            f"UPDATE webhooks.{table} SET {column} = now() - make_interval(secs => %s) WHERE tenant_id = %s",
            days * 86_400, office.tenant,
        )  # fmt: skip


async def test_what_is_older_is_forgotten(office: Office) -> None:
    async with serving(Stranger()) as server, office.sending():
        endpoint, _ = await office.endpoint(server.url)
        await office.hear(*(event() for _ in range(5)))
        await office.sent(endpoint, 5)
    clean_up, never = office.container.clean_up(), asyncio.Event()
    for days, left in ((29.9, (5, 5, 5)), (30.1, (0, 0, 5)), (32.9, (0, 0, 5)), (33.1, (0, 0, 0))):
        age(office, days)
        await clean_up.once(never)
        assert rows(office) == left, days


async def test_what_is_still_attempted_is_kept_and_what_waits_in_vain_is_not(office: Office) -> None:
    await office.endpoint(URL)
    await office.hear(event(), event())
    age(office, 31)
    await office.container.clean_up().once(asyncio.Event())
    assert rows(office) == (2, 0, 2)
    office.query(
        "UPDATE webhooks.deliveries SET next_attempt_at = now() - interval '31 d' WHERE tenant_id = %s", office.tenant
    )
    await office.container.clean_up().once(asyncio.Event())
    assert rows(office) == (0, 0, 2)


async def test_more_than_goes_at_once_is_forgotten_as_well(office: Office) -> None:
    await office.endpoint(URL)
    for _ in range(3):
        await office.hear(*(event() for _ in range(400)))
    office.query(
        "UPDATE webhooks.deliveries SET status = 'DELIVERED', delivered_at = now(), next_attempt_at = NULL"
        " WHERE tenant_id = %s", office.tenant,
    )  # fmt: skip
    age(office, 40)
    await office.container.clean_up().once(asyncio.Event())
    assert rows(office) == (0, 0, 0)
