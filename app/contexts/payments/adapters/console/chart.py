"""The payments of the last minutes as bars: where each stands and how high it is, in the units of the picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.contexts.payments.application.activity import SLOT_S, SLOTS, History, Result, payments_of

WIDTH: Final = 600
HEIGHT: Final = 120
STACKED: Final = (Result.APPROVED, Result.DECLINED, Result.FAILED)
"""From the bottom to the top."""


@dataclass(frozen=True, slots=True)
class Block:
    """A result's part of a bar."""

    result: Result
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """The blocks, what is at the top of the scale, and where time lies that nobody watched."""

    blocks: Sequence[Block]
    unseen: Sequence[tuple[float, float]]
    most_per_s: float
    minutes: int = SLOT_S * SLOTS // 60
    width: int = WIDTH
    height: int = HEIGHT


def chart(history: History) -> Chart:
    """The picture of the history."""
    bars = list(history.bars())
    step = WIDTH / SLOTS
    most = max((payments_of(bar) for bar in bars if bar), default=0)
    blocks: list[Block] = []
    unseen: list[tuple[float, float]] = []
    for nth, bar in enumerate(bars):
        if bar is None:
            if unseen and unseen[-1][0] + unseen[-1][1] == nth * step:
                unseen[-1] = (unseen[-1][0], unseen[-1][1] + step)
            else:
                unseen.append((nth * step, step))
            continue
        top = float(HEIGHT)
        for result in STACKED:
            height = HEIGHT * bar.get(result, 0) / max(most, 1)
            if height:
                top -= height
                blocks.append(Block(result, nth * step, round(top, 2), step - 1, round(height, 2)))
    return Chart(blocks, unseen, most / SLOT_S)
