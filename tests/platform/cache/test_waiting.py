"""What waits to be forgotten is counted over the tenants that are asked for."""

from uuid import uuid4

import psycopg
import pytest

from app.kernel.errors import Unavailable
from app.kernel.principal import TenantId
from app.main.local.roles import Urls
from app.platform.cache.waiting import Waiting, WaitingNotes

_NOTE = """
    INSERT INTO catalog.cache_deletions (tenant_id, id, keys, created_at)
    VALUES (%s, gen_random_uuid(), '{product:1}', now() - interval '90 s')
"""


async def test_notes_that_wait_are_counted_with_the_age_of_the_oldest(module_database: Urls) -> None:
    one, other, third = (TenantId(uuid4()) for _ in range(3))
    with psycopg.connect(module_database.app_url) as service:
        for tenant_id, count in ((one, 2), (other, 1), (third, 5)):
            service.execute("SELECT set_config('app.current_tenant', %s, true)", [str(tenant_id)])
            for _ in range(count):
                service.execute(_NOTE, [tenant_id])
    notes = WaitingNotes(module_database.app_url, "catalog")
    found = await notes.of([one, other, TenantId(uuid4())])
    assert (found.notes, 90 <= found.oldest_s < 3_600) == (3, True)
    assert await notes.of([TenantId(uuid4())]) == Waiting(0, 0.0)
    assert await notes.of([]) == Waiting(0, 0.0)


async def test_where_the_database_is_away_it_is_not_known() -> None:
    with pytest.raises(Unavailable):
        await WaitingNotes("postgresql://nobody@127.0.0.1:1/none", "catalog").of([TenantId(uuid4())])
