"""What the sizing model says of inputs that cannot be, and of results that lack something."""

from pathlib import Path
from typing import Any

import pytest

from bench.sizing.__main__ import main
from tests.system.sized import KEPT, PER_SECOND, RATES, SPREAD, WRITTEN, found, results, spread_without, written


@pytest.mark.parametrize(
    ("option", "text", "why"),
    [
        *((PER_SECOND, text, "above 0") for text in ("0", "-1", "nan", "inf", "many", "", "1e10")),
        ("--share", "0", "at most 100"),
        ("--share", "101", "at most 100"),
        ("--share", "nan", "above 0"),
        ("--cores", "1.5", "whole number above 0"),
        ("--cores", "0", "whole number above 0"),
        ("--standbys", "-1", "whole number 0 or more"),
        ("--members", "0", "whole number above 0"),
        ("--audit", "-3", "days"),
        ("--disk", "0", "MiB/s"),
        ("--core-hour", "-0.01", "0 or more"),
        ("--gib-month", "nan", "0 or more"),
    ],
)
def test_an_input_that_cannot_be_is_named(
    option: str, text: str, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([PER_SECOND, "1000", *written(tmp_path, results()), f"{option}={text}"])
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert f"argument {option}: {text!r} is not a " in said
    assert why in said


@pytest.mark.parametrize("name", RATES)
def test_a_scenario_that_was_not_measured_is_named_with_its_command(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = written(tmp_path, results(**{name: None}))
    assert main([PER_SECOND, "1000", *options]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == f"{options[1]} lacks the scenario `{name}`: `python -m bench --scenario {name}` measures it\n"


@pytest.mark.parametrize(
    ("spread", "what"),
    [
        *((spread_without(name), name) for name in SPREAD if name != "cpu_us_per_payment"),
        (spread_without("cpu_us_per_payment"), "`postgres`"),
        (spread_without(cpu_us_per_payment=SPREAD["cpu_us_per_payment"] | {"relay": 0.0}), "`relay` takes nothing"),
        (spread_without(cpu_us_per_payment=SPREAD["cpu_us_per_payment"] | {"api": -3}), "`api`"),
        (spread_without(cpu_us_per_payment=7), "`api`"),
        (spread_without(cpu_us_per_limit={"redis": 0.0}), "cpu_us_per_limit"),
        (spread_without(written_per_payment=WRITTEN | {"events": 0}), "written_per_payment"),
        (spread_without(written_per_payment=WRITTEN | {"wal_bytes": -1}), "written_per_payment"),
        (spread_without(kept_bytes_per_payment={"audit": KEPT["audit"]}), "kept_bytes_per_payment"),
        (spread_without(kept_bytes_per_payment=KEPT | {"keys": {"tables": -9, "indexes": 0}}), "kept_bytes_per"),
    ],
)
def test_what_spread_lacks_is_named(spread: Any, what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([PER_SECOND, "1000", *written(tmp_path, results(spread=spread))]) == 2
    said = capsys.readouterr().err
    assert what in said
    assert all("`python -m bench --scenario spread` measures it" in line for line in said.splitlines())


def test_all_that_is_missing_is_said_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([PER_SECOND, "9", *written(tmp_path, results(hot=None, audit=found(0.0), workers=found(1.0)))]) == 2
    said = capsys.readouterr().err.splitlines()
    assert [line.rpartition("--scenario ")[2].partition("`")[0] for line in said] == ["hot", "audit", "workers"]


@pytest.mark.parametrize("text", [None, "", "[]", '{"machine": {}, "scenarios": {"spread": {"value": NaN}}}'])
def test_where_there_are_no_results_the_command_that_makes_them_is_named(
    text: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "results.json"
    if text is not None:
        path.write_text(text)
    assert main([PER_SECOND, "9", "--results", str(path)]) == 2
    assert capsys.readouterr().err == f"{path} has no results: `python -m bench` makes them\n"
    assert main([PER_SECOND, "9", "--results", str(tmp_path)]) == 2
    assert str(tmp_path) in capsys.readouterr().err
