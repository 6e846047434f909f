"""Whatever day there is, what is found on it is what was done to it, and no more."""

from collections import Counter
from collections.abc import Iterable, Mapping
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reconciliation.days import NAMES, Found, Plot, Story, made_of, plots
from tests.reconciliation.desk import NEXT, Desk, Refund, at, report


def found(desk: Desk, run: Mapping[str, Any]) -> Counter[Found]:
    return Counter((f["kind"], f["refund_id"] or f["payment_id"]) for f in desk.findings(run))


def all_of(findings: Iterable[Iterable[Found]]) -> Counter[Found]:
    return Counter(one for several in findings for one in several)


def check(desk: Desk, stories: list[Story], order: Random) -> None:
    desk.put([story.here for story in stories if story.here])
    lines = [one for story in stories for one in story.lines]
    order.shuffle(lines)
    run = desk.run(report(*lines))
    own = [story for story in stories if not story.is_others]
    assert found(desk, run) == all_of(story.findings for story in own)
    assert (run["lines"], run["matched"], run["carried"], run["findings"]) == (
        sum(len(story.lines) for story in own),
        sum(story.matched for story in own),
        sum(story.carried for story in own),
        sum(len(story.findings) for story in own),
    )
    for story in own:
        if story.then and story.here:
            of_payment, of_refund = story.then
            status = of_refund if isinstance(story.here, Refund) else of_payment
            desk.settle(story.here, status, at(NEXT, "03:00:00"))
    lines = [one for story in stories for one in story.next_lines]
    order.shuffle(lines)
    following = desk.run(report(*lines), NEXT)
    assert found(desk, following) == all_of(story.next_findings for story in own)
    assert following["matched"] == sum(story.next_matched for story in own)
    assert following["carried"] == 0
    assert desk.run(report(*lines), NEXT) == following


@pytest.mark.parametrize("is_refund", [False, True], ids=["charge", "refund"])
@pytest.mark.parametrize("name", NAMES)
def test_each_story_has_its_answer(desk: Desk, name: str, is_refund: bool) -> None:
    check(desk, [*made_of([(name, is_refund, 1_000)], desk.tenant, desk.people.other_tenant)], Random(1))


@given(plots, st.integers(0, 2**32))
def test_any_day_has_its_answer(opened_desk: Desk, of_a_day: list[Plot], seed: int) -> None:
    opened_desk.move()
    stories = made_of(of_a_day, opened_desk.tenant, opened_desk.people.other_tenant)
    check(opened_desk, [*stories], Random(seed))
