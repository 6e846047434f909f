"""Tables of steps, as settings have them."""

import pytest

from app.contexts.auctions.domain.steps import Steps
from tests.auctions.builders import STEPS


@pytest.mark.parametrize("text", ["0:5", "0:5/100:25", "0:1/999999999999999999:999999999999999999"])
def test_steps_are_what_their_text_says(text: str) -> None:
    assert str(Steps.read(text)) == text


@pytest.mark.parametrize("text", ["", "5", "1:5", "0:0", "0:5/", "0:5/0:6", "0:5/9:1/3:1", "0:-1", "0:5 ", "٠:5"])
def test_what_is_no_table_of_steps_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="has to be like"):
        Steps.read(text)


def test_a_step_is_the_last_one_that_begins_by_then() -> None:
    assert [STEPS.at(price) for price in (0, 99, 100, 999, 1_000, 10**18)] == [5, 5, 25, 25, 100, 100]
