"""A database as a process uses it: pools of connections, by what they are for."""

from app.platform.metrics.batches import BatchMetrics
from app.platform.postgres.plans import make_planned_pool
from app.platform.postgres.pool import Pool, make_pool
from app.platform.postgres.reads import LANES, SharedReads

UPKEEP_CONNECTIONS = 2


class Database:
    """The pools of a process on one database. Each is made when it is first asked for, and opened by the process.

    Contexts that share the database share them: a pool has the size that it was first asked for with.
    """

    def __init__(self, url: str, batches: BatchMetrics) -> None:
        self.url = url
        self._batches = batches
        self._pools: dict[str, Pool] = {}
        self._reads: SharedReads | None = None

    def planned_pool(self, purpose: str, connections: int) -> Pool:
        """A pool for statements that are run over and over, with plans that are kept a while."""
        if purpose not in self._pools:
            self._pools[purpose] = make_planned_pool(self.url, f"strongbox-{purpose}", connections)
        return self._pools[purpose]

    def planning_pool(self, purpose: str, connections: int) -> Pool:
        """A pool for statements whose best plan hangs on their values: each is planned when it is run. They read a page
        and stop: workers beside them would read far ahead.
        """
        if purpose not in self._pools:
            name = f"strongbox-{purpose}"
            self._pools[purpose] = make_pool(self.url, name, connections, max_parallel_workers_per_gather=0)
        return self._pools[purpose]

    @property
    def upkeep_pool(self) -> Pool:
        """The pool for what nobody waits for."""
        if "upkeep" not in self._pools:
            self._pools["upkeep"] = make_pool(self.url, "strongbox-upkeep", UPKEEP_CONNECTIONS)
        return self._pools["upkeep"]

    @property
    def reading_pool(self) -> Pool:
        """The pool that all reads share."""
        return self.planned_pool("read", LANES)

    @property
    def reads(self) -> SharedReads:
        """Reads that lock nothing, of all contexts: those that come at once share a round trip."""
        if self._reads is None:
            self._reads = SharedReads(self.reading_pool, self._batches.of("read"))
        return self._reads

    @property
    def pools(self) -> list[Pool]:
        """Those that were asked for."""
        return [*self._pools.values()]
