"""The model beside measured points."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from bench.sizing.__main__ import main
from bench.sizing.measured import Point
from bench.sizing.points import MACHINE, all_foretold, foretell
from bench.sizing.telling import of_points
from tests.system.sized import found, results

ONE = Point(1, 900.0, {"api": 600.0, "postgres": 500.0, "rabbitmq": 300.0, "relay": 100.0, "wrk": 100.0})
TWO = Point(2, 1000.0, {"api": 660.0, "postgres": 540.0, "rabbitmq": 300.0, "relay": 100.0, "wrk": 100.0})


def test_on_two_cores_it_is_the_machine_that_saturates_whoever_is_added() -> None:
    of_one, of_two = all_foretold([ONE, TWO], cores=2)
    assert (of_one.saturates, of_one.busiest, of_two.saturates, of_two.busiest) == (MACHINE,) * 4
    assert of_two.at_most == pytest.approx(2e6 / 1600)
    assert of_two.reached == pytest.approx(0.8)
    assert of_two.busy == pytest.approx(1000 * 1700 / 2e6)


def test_with_cores_to_spare_one_api_is_foretold_to_saturate_first_and_two_take_twice_as_much() -> None:
    one, two = foretell(ONE, ONE, cores=16), foretell(ONE, TWO, cores=16)
    assert (one.saturates, two.saturates) == ("api", "api")
    assert two.at_most == pytest.approx(2 * one.at_most) == pytest.approx(2e6 / 600)


def test_a_relay_is_one_however_many_apis_there_are() -> None:
    point = Point(40, 5000.0, ONE.cpu_us_per_payment)
    assert foretell(ONE, point, cores=1000).saturates == "relay"


def test_costs_stand_beside_one_another() -> None:
    text = "\n".join(of_points(all_foretold([ONE, TWO], cores=2)))
    rows = [line.split() for line in text.splitlines()]
    assert ["api", "600", "660", "+10%"] in rows
    assert ["relay", "100", "100", "+0%"] in rows


def test_points_that_were_measured_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workers = found(1000.0, points=[asdict(ONE), asdict(TWO)])
    results(workers=workers).write(tmp_path / "results.json")
    options = ["--payments-per-second", "1000", "--results", str(tmp_path / "results.json")]
    assert main(options) == 0
    said = capsys.readouterr().out
    assert "with 2 APIs under the same load a payment took +6% of the processor" in said
    assert main([*options, "--json"]) == 0
    points = json.loads(capsys.readouterr().out)["points"]
    assert [(one["point"]["apis"], round(one["reached"], 2)) for one in points] == [(1, 0.72), (2, 0.8)]
