"""Level 1: never more bytes than it may take, and nothing that has changed."""

import tracemalloc

import pytest

from app.platform.cache.in_process import InProcess, Place


def place(number: int) -> Place:
    return 2**127 + 1, f"product:{number:032x}"


def fill(level1: InProcess, count: int, size: int) -> None:
    for number in range(count):
        level1.put(place(number), b"x" * size, 60.0, level1.generation(place(number)))


@pytest.mark.parametrize("size", [1, 200, 1_100, 20_000])
def test_what_it_takes_is_what_it_says_and_never_more_than_it_may(size: int) -> None:
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        level1 = InProcess(4_000_000)
        fill(level1, 10_000, size)
        took = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert level1.bytes <= 4_000_000
    assert took <= 4_000_000 + 30_000  # and its stripes
    assert took > 0.5 * level1.bytes


def test_whoever_was_asked_for_longest_ago_goes_first() -> None:
    level1 = InProcess(20_000)
    fill(level1, 5, 1_000)
    assert (level1.get(place(0)) is not None, level1.evictions) == (True, 0)
    while level1.evictions < 2:
        level1.put(place(level1.evictions + len(level1)), b"x" * 1_000, 60.0, 0)
    assert [level1.get(place(number)) is not None for number in range(4)] == [True, False, False, True]


def test_what_would_take_too_much_of_it_is_not_kept() -> None:
    level1 = InProcess(100_000)
    fill(level1, 1, 20_000)
    assert (len(level1), level1.bytes) == (0, 0)


def test_it_ends_when_its_time_is_over() -> None:
    now = 100.0
    level1 = InProcess(100_000, lambda: now)
    fill(level1, 1, 10)
    now = 160.0
    assert level1.get(place(0)) is None
    assert level1.bytes == 0


def test_a_value_of_before_a_deletion_is_not_kept_though_there_was_nothing_to_delete() -> None:
    level1 = InProcess(100_000)
    generation = level1.generation(place(1))
    level1.forget([place(1)])
    level1.put(place(1), b"old", 60.0, generation)
    assert level1.get(place(1)) is None


def test_a_pattern_takes_what_it_matches_of_one_tenant_and_what_is_about_to_be_kept() -> None:
    level1 = InProcess(100_000)
    fill(level1, 3, 10)
    generation = level1.generation(place(4))
    level1.forget_matching(1, ["*"])
    assert len(level1) == 3
    level1.forget_matching(2**127 + 1, ["product:*1", "prod.ct:*"])
    level1.put(place(4), b"old", 60.0, generation)
    assert [level1.get(place(number)) is not None for number in (0, 1, 2, 4)] == [True, False, True, False]


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        ("product:12", True), ("product:1", False), ("product:*2", True), ("*:*", True), ("**", True), ("*12*", True),
        ("*2*1*", False), ("product:1*12", False), ("product:12*", True), ("*product:12", True), ("p*:1*2", True),
        ("product.12", False), ("*t:2", False), ("product:12*2", False), ("roduct*", False),
    ],
)  # fmt: skip
def test_only_a_star_of_a_pattern_is_special(pattern: str, fits: bool) -> None:
    level1 = InProcess(100_000)
    level1.put((1, "product:12"), b"x", 60.0, 0)
    level1.forget_matching(1, [pattern])
    assert (len(level1) == 0) is fits


def test_a_pattern_of_stars_alone_that_does_not_fit_is_seen_through_at_once() -> None:
    level1 = InProcess(100_000)
    level1.put((1, "products:page:" + "0" * 49), b"x", 60.0, 0)
    level1.forget_matching(1, ["*" * 255 + "!", "*0" * 127 + "!"])
    assert len(level1) == 1


def test_one_without_room_keeps_nothing() -> None:
    level1 = InProcess(0)
    fill(level1, 3, 10)
    assert len(level1) == 0
