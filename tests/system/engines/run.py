"""A run: an engine, a house on it, a load, what befalls the engine, and what became of the payments."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from app.platform.process.processes import CannotStart
from tests.system.engines.engine import Engine, new_folder
from tests.system.engines.house import Twice
from tests.system.engines.load import Insisting
from tests.system.engines.suite import everything
from tests.system.soak.fleet import fund
from tests.system.soak.load import wallets

FEW: Final = 30
"""Payments, before anything is done."""
BACK_LIMIT_S: Final = 120.0
CALM_S: Final = 3.0
"""For how long there is load before a deed and behind it."""
_seeds = itertools.count(1)
"""Each load has wallets of its own."""


@dataclass(frozen=True, slots=True)
class Row:
    """What a deed has done. `without_s`: the longest time in which no payment was acknowledged; `held_s`: in which no
    event was published. `lost`: payments that were acknowledged, and are not in the books. `wrong`: whatever else does
    not hold, what `strongbox verify` finds included."""

    deed: str
    acknowledged: int
    without_s: float
    held_s: float
    lost: int
    wrong: Sequence[str]


async def endure(engine: Engine, note: Callable[[Row], None]) -> None:
    """Note a row for nothing and for each deed.

    Raises:
        CannotStart: a server does not come up, or is not installed.
    """
    async with standing(engine) as house:
        await asyncio.to_thread(everything, house)
        note(await under_load(house, {"nothing": lambda: None}))
        for name, deed in engine.deeds(house).items():
            note(await under_load(house, {name: deed}))


@asynccontextmanager
async def standing(engine: Engine) -> AsyncIterator[Twice]:
    """A house on the engine. Both end with the block.

    Raises:
        CannotStart: a server does not come up, or is not installed.
    """
    if missing := engine.missing():
        raise CannotStart(f"{engine.name}: not installed (Debian: apt-get install {' '.join(missing)})")
    house: Twice | None = None
    try:
        place = await asyncio.to_thread(engine.start)
        house = Twice(*place, new_folder(engine.folder / "house"))
        await asyncio.to_thread(house.begin_all)
        yield house
        codes = await asyncio.to_thread(house.stop_all)
        assert set(codes.values()) == {0}, codes
    finally:
        if house is not None:
            await asyncio.to_thread(house.kill_all)
        await asyncio.to_thread(engine.stop)


async def under_load(house: Twice, deeds: Mapping[str, Callable[[], None]], calm_s: float = CALM_S) -> Row:
    """Do all of it, one after the other, while clients pay; then look at the books."""
    seed = next(_seeds)
    owned, loop = wallets(seed), asyncio.get_running_loop()
    await fund(house.environment, owned)
    load = Insisting(house.apis, house.provider_id, owned, seed)
    stop = asyncio.Event()
    working = asyncio.create_task(load.run(stop))
    try:
        await _until(lambda: len(load.acknowledged()) >= FEW, working)
        ((begun,),) = await asyncio.to_thread(house.query, "SELECT now()")
        since = loop.time()
        await asyncio.sleep(calm_s)
        for deed in deeds.values():
            await asyncio.to_thread(deed)
            await _serves_again(load, loop.time(), working)
        await asyncio.sleep(calm_s)
        until = loop.time()
        ((ended,),) = await asyncio.to_thread(house.query, "SELECT now()")
    finally:
        stop.set()
        await working
        await load.close()
    told = load.acknowledged()
    wrong = [*load.wrong(), *await asyncio.to_thread(_found, house)]
    kept = {id_ for (id_,) in house.query("SELECT id::text FROM payments WHERE status = 'APPROVED'")}
    held_s = _held_s(house, begun, ended)
    gap_s = load.longest_gap_s(since, until)
    return Row("; ".join(deeds), len(told), gap_s, held_s, len(told.keys() - kept), wrong)


async def _serves_again(load: Insisting, since: float, working: "asyncio.Task[None]") -> None:
    """Wait until each API has acknowledged a payment that it was asked for since then."""

    def served() -> set[int]:
        calls = (call for call in reversed(load.history.calls[-1_000:]) if call.began >= since)
        return {call.api for call in calls if call.status == 201 and not call.replayed}

    await _until(lambda: len(served()) == len(load._apis), working)


async def _until(condition: Callable[[], bool], working: "asyncio.Task[None]") -> None:
    async with asyncio.timeout(BACK_LIMIT_S):
        while not condition():
            if working.done():
                working.result()
            await asyncio.sleep(0.05)


def _found(house: Twice) -> list[str]:
    try:
        house.verify()
    except AssertionError as error:
        return [str(error)]
    return []


def _held_s(house: Twice, begun: object, ended: object) -> float:
    ((held_s,),) = house.query(
        "SELECT coalesce(max(extract(epoch FROM sent_at - before)), 0)::float8 FROM"
        " (SELECT created_at, sent_at, lag(sent_at) OVER (ORDER BY sent_at) AS before FROM outbox_events) o"
        " WHERE sent_at >= %s AND created_at <= %s",
        begun, ended,
    )  # fmt: skip
    return float(held_s)
