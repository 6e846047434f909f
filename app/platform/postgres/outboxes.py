"""The outboxes of a database, as a lookout sees them: which have something unsent."""

from collections.abc import Collection, Sequence
from typing import Final

from app.platform.postgres.errors import reading
from app.platform.postgres.pipeline import Statement, run
from app.platform.postgres.pool import Pool, make_pool, session

# By the order of the index of what is unsent: one step, whatever the table holds beside it.
_HAS_UNSENT: Final = "(SELECT true FROM {}.outbox_events WHERE sent_at IS NULL ORDER BY partition, id LIMIT 1)"


def make_looking_pool(url: str) -> Pool:
    """The pool that they are looked at by. Its one plan is kept for good, and so has to be right from the first on:
    of an empty table it would be one that reads all of it.
    """
    return make_pool(url, "strongbox-lookout", 1, plan_cache_mode="force_generic_plan", enable_seqscan="off")


class PostgresOutboxes:
    """Those in the schemas."""

    def __init__(self, pool: Pool, schemas: Sequence[str]) -> None:
        self._pool = pool
        self._schemas = schemas
        self._look = Statement(f"SELECT {', '.join(map(_HAS_UNSENT.format, schemas))}")

    @reading
    async def unsent(self) -> Collection[str]:
        """See `lookout.Unsent`."""
        async with session(self._pool) as connection:
            ((found,),) = await run(connection, [(self._look, ())])
        return [schema for schema, has_some in zip(self._schemas, found, strict=True) if has_some]
