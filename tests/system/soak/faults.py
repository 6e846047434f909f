"""The faults: which ones a seed plans, how they strike, and how they heal."""

import asyncio
import random
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import psycopg

from tests.system.soak.fleet import APIS, RECOVER_AFTER_S, TELLERS, Fleet
from tests.system.soak.load import Load
from tests.system.soak.servers import Servers

FaultKind = Literal["kill", "restart", "stop", "postgres", "rabbitmq", "redis", "gateway"]

EVERY_S: Final = 10.0
FIRST_AT_S: Final = 4.0  # a quorum queue that loses its node right after it was declared never gets a leader
STOPPED_S: Final = (1.0, 20.0)
DEAD_S: Final = (0.2, 2.0)
DOWN_S: Final = (0.2, 6.0)
MISBEHAVES_S: Final = (1.5, 4.0)
BETWEEN_S: Final = 5.0
"""So long after each of the other faults Redis has one."""
VICTIM_LIMIT_S: Final = 5.0
SILENT_S: Final = 1.5
SEEDED_PENDING_LIMIT_S: Final = RECOVER_AFTER_S + 4.0

_GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "api": APIS,
    "relay": ("relay-1", "relay-2"),
    "recover": ("recover-1", "recover-2"),
    "audit": ("audit-1", "audit-2"),
    "metrics": ("metrics",),
    "teller": TELLERS,
}
_LASTS_S: Final = {
    "kill": DEAD_S,
    "restart": DEAD_S,
    "stop": STOPPED_S,
    "postgres": DOWN_S,
    "rabbitmq": DOWN_S,
    "redis": DOWN_S,
    "gateway": MISBEHAVES_S,
}
_ALWAYS: Final = (("kill", "api"), ("restart", "api"), ("postgres", ""), ("rabbitmq", ""))
_SOMETIMES: Final = (
    ("gateway", ""),
    *((kind, group) for kind in ("kill", "restart", "stop") for group in _GROUPS if (kind, group) not in _ALWAYS),
)
_MOODS: Final[tuple[dict[str, Any], ...]] = (
    {"mode": "timeout", "applies_to": "all", "latency_ms": 1_000},
    {"mode": "timeout", "applies_to": "all", "latency_ms": 1_000, "charge": "before"},
    {"mode": "timeout", "charge": "after", "latency_ms": 2_000},
    {"mode": "500", "applies_to": "all"},
    {"mode": "500", "charge": "before"},
    {"mode": "reset", "applies_to": "all", "charge": "before"},
    {"mode": "garbage", "charge": "before"},
    {"mode": "wrong_amount", "applies_to": "all", "charge": "before"},
)
_WITH_REDIS: Final = ("killed", "frozen", "emptied")
# What leaves payments pending: nothing is answered, whether the charge stands or not.
_SILENCES: Final = _MOODS[:2]


@dataclass(slots=True)
class Fault:
    """One fault. `at_s` counts from the beginning of the load; the others are the event loop's times: when its
    preparations began, when it struck, and when what it took was there again. `back_s` is how long after that it
    was, other faults' time left out, until payments went through everywhere."""

    kind: FaultKind
    targets: tuple[str, ...]
    at_s: float
    lasts_s: float
    mood: Mapping[str, Any] = field(default_factory=dict)
    began: float = 0.0
    struck: float = 0.0
    healed: float = 0.0
    hit: int = 0
    back_s: float = 0.0

    @property
    def name(self) -> str:
        """What it is called in reports."""
        return " ".join((self.kind, *self.targets, *map(str, self.mood.values())))

    @property
    def apis(self) -> tuple[int, ...]:
        """Which of the APIs have to come back after it."""
        struck = tuple(APIS.index(name) for name in self.targets if name in APIS)
        return struck or tuple(range(len(APIS)))


def plan(seed: int, duration_s: float, most: int | None = None) -> list[Fault]:
    """The faults of a run: about one every ten seconds, those that hurt most always among the first six."""
    dice = random.Random(f"{seed}/faults")
    deck: list[tuple[str, str]] = []
    faults: list[Fault] = []
    at_s = FIRST_AT_S
    while at_s < duration_s - 4 and (most is None or len(faults) < most):
        if not deck:
            others = dice.sample(_SOMETIMES, len(_SOMETIMES))
            deck = dice.sample([*_ALWAYS, *others[:2]], 6) + others[2:]
        kind, group = deck.pop(0)
        faults.append(_fault(kind, group, at_s + dice.uniform(0, 2), duration_s, dice))
        at_s += EVERY_S
    return faults


def plan_of_redis(seed: int, others: Sequence[Fault]) -> list[Fault]:
    """What becomes of Redis meanwhile: that keeps nobody from paying, nor anything else from failing."""
    dice = random.Random(f"{seed}/redis")
    ways = [way for _ in others for way in dice.sample(_WITH_REDIS, len(_WITH_REDIS))]
    return [
        Fault("redis", (), other.at_s + BETWEEN_S, way != "emptied" and dice.uniform(*_LASTS_S["redis"]), {"way": way})
        for other, way in zip(others, ways, strict=False)
    ]


def _fault(kind: Any, group: str, at_s: float, duration_s: float, dice: random.Random) -> Fault:
    members = _GROUPS.get(group, ())
    targets = members if dice.random() < 0.3 else tuple(dice.sample(members, min(1, len(members))))
    lasts_s = min(dice.uniform(*_LASTS_S[kind]), max(1.0, duration_s - at_s))
    moods = _MOODS if kind == "gateway" else _SILENCES if group == "recover" else ()
    return Fault(kind, targets, at_s, lasts_s, dice.choice(moods) if moods else {})


class Trouble:
    """Makes the planned faults happen. Several may be under way; a process suffers one at a time."""

    def __init__(self, fleet: Fleet, servers: Servers, work: Load, seed: int, say: Callable[[str], None]) -> None:
        self._fleet = fleet
        self._servers = servers
        self._load = work
        self._mixture = {"mode": "random", "seed": seed}
        self._say = say
        self._loop = asyncio.get_running_loop()
        self._busy = {name: asyncio.Lock() for group in _GROUPS.values() for name in group}
        self._gateway = asyncio.Lock()

    async def run(self, faults: Sequence[Fault]) -> None:
        """Strike each at its time, and wait until all have healed."""
        began = self._loop.time()
        await self._mode(self._mixture)
        async with asyncio.TaskGroup() as tasks:
            for fault in faults:
                tasks.create_task(self._at(began + fault.at_s, fault))
        await self._mode({"mode": "happy"})

    async def _at(self, when: float, fault: Fault) -> None:
        await asyncio.sleep(when - self._loop.time())
        locks = [self._busy[name] for name in sorted(fault.targets)]
        for lock in locks:
            await lock.acquire()
        try:
            fault.began = self._loop.time()
            if fault.targets and fault.mood:
                await self._leave_something_pending(fault.mood)
            await self._wait_for_a_victim(fault)
            fault.struck = self._loop.time()
            fault.hit = self._under_way(fault)
            self._say(f"fault: {fault.name}, for {fault.lasts_s:.1f} s, {fault.hit} payments under way")
            await self._strike(fault)
            fault.healed = self._loop.time()
            self._say(f"healed: {fault.name}")
        finally:
            for lock in locks:
                lock.release()

    def _under_way(self, fault: Fault) -> int:
        return sum(self._load.in_flight[api] for api in fault.apis)

    async def _wait_for_a_victim(self, fault: Fault) -> None:
        """An API that has just been restarted may not have a payment in hand yet."""
        deadline = self._loop.time() + self._fleet.patience(VICTIM_LIMIT_S)
        while self._under_way(fault) == 0 and self._loop.time() < deadline:  # noqa: ASYNC110 -- it lasts a moment only
            await asyncio.sleep(0.01)

    async def _strike(self, fault: Fault) -> None:
        match fault.kind:
            case "kill" | "restart":
                await self._replace(fault)
            case "stop":
                for name in fault.targets:
                    self._fleet.signal(name, signal.SIGSTOP)
                await asyncio.sleep(fault.lasts_s)
                for name in fault.targets:
                    self._fleet.signal(name, signal.SIGCONT)
            case "postgres" | "rabbitmq":
                await asyncio.to_thread(self._servers.bounce, getattr(self._servers, fault.kind), fault.lasts_s)
            case "redis":
                await asyncio.to_thread(self._trouble_redis, fault.mood["way"], fault.lasts_s)
            case "gateway":
                await self._misbehave(fault.mood, fault.lasts_s)

    def _trouble_redis(self, way: str, lasts_s: float) -> None:
        match way:
            case "killed":
                self._servers.bounce(self._servers.redis, lasts_s)
            case "frozen":
                self._servers.freeze(lasts_s)
            case _:
                self._servers.empty()

    async def _replace(self, fault: Fault) -> None:
        """End the processes, by force or in good order, and start others a while later."""
        if fault.kind == "kill":
            for name in fault.targets:
                self._fleet.kill(name)
        else:
            await asyncio.gather(*(asyncio.to_thread(self._fleet.retire, name) for name in fault.targets))
        await asyncio.sleep(fault.lasts_s)
        for name in fault.targets:
            self._fleet.spawn(name)

    async def _misbehave(self, mood: Mapping[str, Any], lasts_s: float) -> None:
        async with self._gateway:
            await self._mode(mood)
            await asyncio.sleep(lasts_s)
            await self._mode(self._mixture)

    async def _leave_something_pending(self, silence: Mapping[str, Any]) -> None:
        """See to it that recovery has work at hand when it is struck: a silent gateway settles nothing."""
        await self._misbehave(silence, SILENT_S)
        deadline = self._loop.time() + self._fleet.patience(SEEDED_PENDING_LIMIT_S)
        while self._loop.time() < deadline:
            if await asyncio.to_thread(self._recoverable):
                return
            await asyncio.sleep(0.05)

    def _recoverable(self) -> bool:
        try:
            ((count,),) = self._fleet.query(
                "SELECT count(*) FROM payments WHERE status = 'PENDING'"
                " AND created_at < now() - make_interval(secs => %s)",
                RECOVER_AFTER_S - 0.1,
            )
        except psycopg.Error:
            return False
        return bool(count)

    async def _mode(self, mode: Mapping[str, Any]) -> None:
        await asyncio.to_thread(lambda: self._fleet.mode(**mode))
