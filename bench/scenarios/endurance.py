"""The same pace for ten minutes: what each process holds in the end, beside what it held when it was warm."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from statistics import median
from threading import Event, Thread
from typing import Final

from bench.house import BenchHouse
from bench.results import Measure, measure
from bench.scenarios.spread import OTHERS
from bench.scenarios.steady import at_a_pace, the_most
from bench.stage import Stage, errors

GROWTH: Final = 1.05
"""What memory may differ by without having grown: allocators give back and take by the page."""
PARTS: Final = 5
SAMPLES: Final = 100

Held = Mapping[str, list[float]]
"""What each process held, in MiB, at even distances."""


def endurance(stage: Stage) -> Mapping[str, Measure]:
    """Memory that a payment leaves behind would add up."""
    duration_s = stage.sizes.endurance_s
    with stage.paying() as (house, _):
        fastest = the_most(stage, house)
        with _watched(house, duration_s / SAMPLES) as held:
            outcome = at_a_pace(stage, house, max(fastest.rate / 2, 1.0), duration_s)
        house.check_books(with_gateway=True)
        failed = errors(house, fastest) + outcome.lost
    by_part = {name: _medians(samples) for name, samples in held.items()}
    grown = max(by_part, key=lambda name: by_part[name][-1] / by_part[name][1])
    _, warm, *_, last = by_part[grown]
    return {
        "endurance": measure(
            [last], [warm], unit="MiB", limit_is="the same process in the second fifth of the time", goal=GROWTH,
            at_most=True, errors=failed, details={
                "grew_most": grown, "held_mib": by_part, "rate": outcome.rate, "p99_ms": outcome.p99_ms,
            },
        )
    }  # fmt: skip


@contextmanager
def _watched(house: BenchHouse, every_s: float) -> Iterator[Held]:
    """Take samples until the end of the block."""
    held: Held = {name: [] for name in ("api", *OTHERS)}
    ended = Event()

    def sample() -> None:
        # At least one for each part, however little a busy machine lets us look.
        while not ended.wait(every_s) or len(held["api"]) < PARTS:
            for name, samples in held.items():
                samples.append(house.memory_mib(name)["now"])

    watcher = Thread(target=sample)
    watcher.start()
    try:
        yield held
    finally:
        ended.set()
        watcher.join()


def _medians(samples: list[float]) -> list[float]:
    """Of each fifth."""
    size = len(samples) // PARTS
    return [round(median(samples[nth * size : (nth + 1) * size]), 1) for nth in range(PARTS)]
