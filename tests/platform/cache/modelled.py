"""Two processes' caches over one made-up Redis."""

import asyncio
from collections.abc import Callable, Collection
from uuid import UUID

import msgspec
from prometheus_client import CollectorRegistry

from app.kernel.principal import TenantId
from app.platform.cache.cache import TwoLevels
from app.platform.cache.in_process import InProcess, Place
from app.platform.cache.messages import heed, of_patterns, of_places
from app.platform.cache.metrics import CacheMetrics
from app.platform.cache.ports import Kind
from app.platform.cache.remote import Away, Looked, Pulse, Remote
from tests.platform.cache.orders import Choose, Turns

TENANT = TenantId(UUID(int=1))
KIND: Kind[int] = Kind("product", int, (60.0, 300.0))
NAME = "1"
KEY = KIND.key(NAME)
_METRICS = CacheMetrics(CollectorRegistry())


class ModelRedis:
    """Values, leases, and what was told: each step at once, as the scripts have it."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.values: dict[Place, bytes] = {}
        self.leases: dict[Place, str] = {}
        self.processes: list[Process] = []

    def look(self, place: Place, lease: str) -> Looked:
        if (value := self.values.get(place)) is not None:
            return Looked(value, 60.0)
        return Looked(has_lease=self.take_lease(place, lease))

    def take_lease(self, place: Place, lease: str) -> bool:
        has_it = place not in self.leases
        self.leases.setdefault(place, lease)
        return has_it

    def put(self, place: Place, lease: str, value: bytes) -> bool:
        if self.leases.get(place) != lease:
            return False
        self.values[place] = value
        del self.leases[place]
        return True

    def delete(self, places: Collection[Place]) -> int:
        removed = sum(self.values.pop(place, None) is not None for place in places)
        for place in places:
            self.leases.pop(place, None)
        self.tell(of_places([*places]))
        return removed

    def tell(self, message: bytes) -> None:
        """Send it to every process: to each it comes in its order, and when it comes."""
        for process in self.processes:
            process.is_told(message)


class ModelRemote(Remote):
    """A process's way to it: what is asked happens when its turn comes, and is answered when that one comes."""

    def __init__(self, redis: ModelRedis, name: str) -> None:
        self._redis, self._name = redis, name
        self.fails: list[str] = []
        """What becomes of the next deletions: "unsent", or "unanswered"."""
        self._background: set[asyncio.Task[None]] = set()

    @property
    def answers(self) -> bool:
        return True

    async def look(self, place: Place, lease: str) -> Looked:
        await self._redis.turns.turn(f"{self._name} looks")
        found = self._redis.look(place, lease)
        await self._redis.turns.turn(f"{self._name} has looked")
        return found

    async def take_lease(self, place: Place, lease: str) -> bool:
        return self._redis.take_lease(place, lease)

    def put(self, place: Place, lease: str, value: bytes, ttl_s: float, on_late: Callable[[], None]) -> None:
        async def putting() -> None:
            await self._redis.turns.turn(f"{self._name} puts")
            if not self._redis.put(place, lease, value):
                on_late()

        task = asyncio.ensure_future(putting())
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def delete(self, places: Collection[Place]) -> int:
        fate = self.fails.pop(0) if self.fails else ""
        await self._redis.turns.turn(f"{self._name} deletes")
        if fate == "unsent":
            raise Away
        removed = self._redis.delete(places)
        await self._redis.turns.turn(f"{self._name} has deleted")
        if fate:
            raise Away
        return removed

    async def delete_matching(self, tenant: int, patterns: Collection[str]) -> int:
        for kept in (self._redis.leases, self._redis.values):
            await self._redis.turns.turn(f"{self._name} sweeps")
            kept.clear()
        await self._redis.turns.turn(f"{self._name} tells")
        self._redis.tell(of_patterns(tenant, [*patterns]))
        return 0

    def delete_unheard(self, places: Collection[Place]) -> None:
        raise NotImplementedError


class Alive(Pulse):
    """Hears what it is told, sooner or later."""

    is_fresh = True


class Process:
    """A process with its cache: what it may not see any more is noted, and that it does not is asserted."""

    def __init__(self, redis: ModelRedis, name: str, truth: "Truth") -> None:
        self.redis, self.name, self.truth = redis, name, truth
        self.level1, self.remote = InProcess(1_000_000), ModelRemote(redis, name)
        self.cache = TwoLevels(self.level1, Alive(), self.remote, _METRICS)
        self.floor = 0
        """Older than this nobody who begins to read here sees any more."""
        self._messages: list[bytes] = []
        self._hearing: asyncio.Task[None] | None = None
        redis.processes.append(self)

    def is_told(self, message: bytes) -> None:
        self._messages.append(message)
        if self._hearing is None:
            self._hearing = asyncio.ensure_future(self._hear())

    async def _hear(self) -> None:
        while self._messages:
            await self.redis.turns.turn(f"{self.name} hears")
            heed(self._messages.pop(0), self.level1)
            self._know()
        self._hearing = None

    def _know(self) -> None:
        """Where all that was told has been heard, whatever was confirmed by now is known of."""
        if not self._messages:
            self.floor = max(self.floor, self.truth.confirmed)

    async def read(self) -> None:
        await self.redis.turns.turn(f"{self.name} begins to read")
        await self.read_now()

    async def read_now(self) -> None:
        floor = self.floor
        kept = self.cache.at_hand(TENANT, KIND, NAME)
        assert kept is None or kept.value >= floor, f"{self.name} had {kept} at hand after {floor}"
        version = await self.cache.get(TENANT, KIND, NAME, self._load)
        assert version >= floor, f"{self.name} read {version} after {floor}: {self.redis.turns.taken}"

    async def write(self) -> None:
        await self.redis.turns.turn(f"{self.name} commits")
        self.truth.version += 1
        mine = self.truth.version
        # From when it is asked for, and not only from when Redis has done it, which takes as long as it takes.
        self.floor = max(self.floor, mine)
        if await self.cache.delete(TENANT, [KEY]):
            self.truth.confirmed = max(self.truth.confirmed, mine)
            for each in self.redis.processes:
                each._know()

    async def repeat(self) -> None:
        await self.redis.turns.turn(f"{self.name} repeats")
        await self.cache.repeat_unconfirmed()

    async def sweep(self) -> None:
        await self.redis.turns.turn(f"{self.name} sweeps all")
        await self.cache.delete_matching(TENANT, ["product:*"])

    async def _load(self) -> int:
        await self.redis.turns.turn(f"{self.name} loads")
        version = self.truth.version
        await self.redis.turns.turn(f"{self.name} has loaded")
        return version


class Truth:
    """What the database says."""

    def __init__(self) -> None:
        self.version, self.confirmed = 1, 0


class House:
    """Two processes, before a play."""

    def __init__(self, choose: Choose) -> None:
        self.turns = Turns(choose)
        self.redis, self.truth = ModelRedis(self.turns), Truth()
        self.a, self.b = (Process(self.redis, name, self.truth) for name in "AB")

    async def forget_all(self) -> None:
        """Redis is emptied."""
        await self.turns.turn("Redis forgets")
        self.redis.values.clear()
        self.redis.leases.clear()

    def keep(self, *, in_processes: bool) -> None:
        """What is true is in Redis, and perhaps in the processes."""
        place, value = (TENANT.int, KEY), msgspec.msgpack.encode(self.truth.version)
        self.redis.values[place] = value
        for process in (self.a, self.b) if in_processes else ():
            process.level1.put(place, value, 60.0, process.level1.generation(place))

    async def ends_well(self) -> None:
        """At rest: nothing old is kept anywhere, and whoever reads sees the newest."""
        place, newest = (TENANT.int, KEY), msgspec.msgpack.encode(self.truth.version)
        assert self.redis.values.get(place, newest) == newest, self.turns.taken
        for process in (self.a, self.b):
            assert process.level1.get(place) in (None, newest), self.turns.taken
            process.floor = self.truth.version
            await self.turns.play(process.read())
