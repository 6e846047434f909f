"""This tree beside another revision: what is calculated, and what is refused. `make bench-short` sees the runs."""

import json
import subprocess
from pathlib import Path

import pytest

from app.platform.process.processes import CannotStart
from bench import against
from bench.__main__ import main
from bench.results import Measure, Results, measure


def a_run(value: float, errors: int = 0, **costs_us: float) -> Results:
    return Results({"cpu": "some"}, {"spread": a_measure(value, errors, **costs_us)})


def a_measure(value: float, errors: int = 0, **costs_us: float) -> Measure:
    details = {"cpu_us_per_payment": costs_us} if costs_us else {}
    return measure([value], [100.0], unit="payments/s", limit_is="any", goal=1.0, errors=errors, details=details)


def test_the_ratio_is_the_median_of_the_pairs_so_that_one_slow_moment_does_not_count() -> None:
    ours = [a_run(110.0), a_run(10.0), a_run(240.0)]
    theirs = [a_run(100.0), a_run(100.0), a_run(200.0)]
    found = against.compare(ours, theirs)["spread"]
    assert found.ratio == pytest.approx(1.1)
    assert [(pair.ours, pair.theirs) for pair in found.pairs] == [(110.0, 100.0), (10.0, 100.0), (240.0, 200.0)]


def test_processor_time_is_compared_without_what_makes_the_load() -> None:
    found = against.compare([a_run(1.0, api=150.0, wrk=900.0)], [a_run(1.0, api=100.0, wrk=30.0)])["spread"]
    assert found.cpu_ratio == pytest.approx(1.5)
    assert against.compare([a_run(1.0)], [a_run(1.0, api=100.0)])["spread"].cpu_ratio is None


def test_a_pair_with_a_void_run_does_not_count() -> None:
    found = against.compare([a_run(1.0, errors=1), a_run(3.0)], [a_run(1.0), a_run(2.0)])["spread"]
    assert [(pair.ours, pair.theirs) for pair in found.pairs] == [(3.0, 2.0)]
    with pytest.raises(CannotStart, match="void"):
        against.compare([a_run(1.0, errors=1)], [a_run(1.0)])


def test_of_start_ups_the_medians_are_compared() -> None:
    pairs = [against.Pair(100.0, 300.0), against.Pair(200.0, 100.0), against.Pair(300.0, 100.0)]
    assert against.Comparison.of_medians("ms", pairs).ratio == 2.0


def test_start_ups_are_measured_beside_another_revision_alone(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--scenario", "start-up"])
    assert "--against" in capsys.readouterr().err


def test_what_only_one_of_both_measures_is_left_out() -> None:
    more = Results({"cpu": "some"}, {"spread": a_measure(1.0), "new": a_measure(2.0)})
    assert set(against.compare([more], [a_run(1.0)])) == {"spread"}


def test_who_begins_changes_with_each_pair() -> None:
    order: list[str] = []

    def run_of(name: str, value: float) -> against.Run:
        def run() -> Results:
            order.append(name)
            return a_run(value)

        return run

    ours, theirs = against.in_turn(run_of("ours", 1.0), run_of("theirs", 2.0), 3, lambda _: None)
    assert order == ["ours", "theirs", "theirs", "ours", "ours", "theirs"]
    assert {one.scenarios["spread"].value for one in ours} == {1.0}
    assert {one.scenarios["spread"].value for one in theirs} == {2.0}


def test_the_json_has_the_documented_shape(tmp_path: Path) -> None:
    compared = against.compare([a_run(2.0, api=3.0)], [a_run(1.0, api=2.0)])
    against.Against("abc", {"cpu": "some"}, compared).write(tmp_path / "against.json")
    written = json.loads((tmp_path / "against.json").read_bytes())
    assert set(written) == {"revision", "machine", "scenarios"}
    assert {"ratio", "cpu_ratio", "pairs"} <= set(written["scenarios"]["spread"])
    assert written["scenarios"]["spread"]["pairs"] == [
        {"ours": 2.0, "theirs": 1.0, "ours_cpu_us": 3.0, "theirs_cpu_us": 2.0}
    ]


def test_the_table_tells_both() -> None:
    lines = against.table(against.compare([a_run(2000.0, api=3.0)], [a_run(1000.0, api=2.0)])).splitlines()
    assert lines[1].split() == ["spread", "2,000", "payments/s", "1,000", "2.000", "1", "1.500"]


def test_a_revision_that_is_none_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    monkeypatch.chdir(tmp_path)
    assert main(["--against", "no-such-thing"]) == 2
    assert "no-such-thing" in capsys.readouterr().err


def test_at_least_one_pair_is_run(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--against", "HEAD", "--pairs", "0"])
    assert "--pairs" in capsys.readouterr().err
