"""What operators have the cache forget, on record."""

from datetime import UTC, datetime
from typing import NamedTuple

from app.kernel.principal import TenantId
from app.platform.cache.ports import Cache
from app.platform.operations.actions import Actions, recorded


class Forgotten(NamedTuple):
    """What was forgotten, of which tenant, how many keys of it Redis had, who had it forgotten, and when."""

    text: str
    tenant: str
    keys: int
    operator: str
    at: datetime


def is_pattern(text: str) -> bool:
    """Whether it stands for all keys that match it, and not for the one that it is."""
    return "*" in text


async def forget(cache: Cache, actions: Actions, operator: str, tenant: tuple[str, TenantId], text: str) -> Forgotten:
    """Have it forget a key of the tenant's, or with a `*` in it all that match it. The tenant by name and by id.

    Raises:
        Unavailable: Redis did not confirm it.
        NotRecorded: see `recorded`.
    """
    name, tenant_id = tenant
    what = {"patterns" if is_pattern(text) else "keys": [text], "tenant": name}
    async with recorded(actions, "cache forget", what) as outcome:
        work = cache.delete_matching if is_pattern(text) else cache.delete_counted
        outcome["deleted"] = keys = await work(tenant_id, [text])
    return Forgotten(text, name, keys, operator, datetime.now(UTC))
