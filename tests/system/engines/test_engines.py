"""`make engines` in its short form: engines lose members while clients pay, and nothing that these were told of."""

import os
from pathlib import Path

import pytest

from tests.system.engines.engine import Engine
from tests.system.engines.every import ENGINES
from tests.system.engines.given import URL, Given
from tests.system.engines.run import standing, under_load
from tests.system.engines.suite import everything

CALM_S = 0.5


@pytest.fixture(params=[engine for engine in ENGINES if engine is not Given], ids=lambda engine: engine.name)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    """Each of the engines that are started here."""
    if missing := request.param.missing():
        pytest.skip(f"not installed (Debian: apt-get install {' '.join(missing)})")
    made: Engine = request.param(tmp_path)
    return made


async def test_whatever_befalls_a_member_no_payment_that_was_acknowledged_is_lost(engine: Engine) -> None:
    async with standing(engine) as house:
        row = await under_load(house, engine.deeds(house), CALM_S)
    assert (row.lost, row.wrong) == (0, []), row
    assert row.acknowledged > 0


@pytest.fixture
def given(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Given:
    """The engine whose URL is given; else the server that all tests share."""
    if URL not in os.environ:
        monkeypatch.setenv(URL, request.getfixturevalue("postgres_url"))
    return Given(tmp_path)


async def test_an_engine_that_is_given_by_its_url_does_everything_and_bears_the_end_of_all_sessions(
    given: Given,
) -> None:
    async with standing(given) as house:
        everything(house)
        row = await under_load(house, given.deeds(house), CALM_S)
    assert (row.lost, row.wrong) == (0, []), row
