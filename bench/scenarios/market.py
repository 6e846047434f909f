"""A house that sells: over a shelf of products, with a Redis; and what its cache came to."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from app.main.local.roles import Urls
from bench.house import BenchHouse
from bench.people import OPEN
from bench.stage import Stage


@contextmanager
def selling(stage: Stage, database: Urls, **environment: str) -> Iterator[BenchHouse]:
    """All processes over the database, and a Redis with nothing in it."""
    with stage.redis() as url, stage.house(database, **OPEN, REDIS_URL=url, **environment) as house:
        yield house


class Hits:
    """How much of what was looked for the cache had since this was made."""

    def __init__(self, house: BenchHouse) -> None:
        self._house, self._before = house, house.cache()

    def __call__(self) -> dict[str, float]:
        """The part of it by level, and by kind and level, from 0 to 1: of level 2 that of what had come to it. What
        nobody looked for is left out; nothing is left where the cache was not asked.
        """
        now, found = self._house.cache(), {}
        kinds = sorted({kind for kind, _ in now})
        for names, of in (("", kinds), *((f"{kind}, ", [kind]) for kind in kinds)):
            for level in _LEVELS:
                hits, misses = (
                    sum(now[kind, f"{what}{level}"] - self._before[kind, f"{what}{level}"] for kind in of)
                    for what in ("hits", "misses")
                )
                if hits + misses:
                    found[f"{names}level {level}"] = round(hits / (hits + misses), 3)
        return found


_LEVELS: Final = (1, 2)
