"""The parts of the benchmark that calculate and draw. That all of it runs is seen by `make bench-short`."""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench import machine, plots
from bench.__main__ import main
from bench.results import Measure, Results, measure, number, percentile, table
from bench.scenarios import SCENARIOS
from bench.written import Written

SVG = "{http://www.w3.org/2000/svg}"


def spread(*runs: float, errors: int = 0) -> Measure:
    """A measure against a limit of 100."""
    return measure(
        runs or (150.0,), (90.0, 110.0), unit="payments/s", limit_is="pgbench", goal=1.2, errors=errors,
        details={"cpu_us_per_payment": {"api": 215.0, "postgres": 110.0}},
    )  # fmt: skip


@pytest.mark.parametrize(("percent", "expected"), [(50, 2.0), (51, 3.0), (99, 4.0), (100, 4.0), (1, 1.0)])
def test_a_percentile_is_one_of_the_values(percent: float, expected: float) -> None:
    assert percentile([1.0, 2.0, 3.0, 4.0], percent) == expected


@pytest.mark.parametrize(("values", "percent"), [([], 50), ([1.0], 0), ([1.0], 101)])
def test_there_is_no_percentile_of_nothing(values: list[float], percent: float) -> None:
    with pytest.raises(ValueError, match="values"):
        percentile(values, percent)


def test_the_median_run_stands_beside_the_mean_of_the_limits() -> None:
    found = spread(10.0, 150.0, 160.0)
    assert (found.value, found.limit, found.ratio, found.met) == (150.0, 100.0, 1.5, True)


def test_a_goal_may_be_a_bound() -> None:
    def against(value: float) -> Measure:
        return measure([value], [100.0], unit="ms", limit_is="the bound", goal=1.0, at_most=True)

    assert against(100.0).met
    assert not against(101.0).met


def test_one_error_makes_a_run_void() -> None:
    found = spread(1000.0, errors=1)
    assert found.void
    assert not found.met
    assert "void: 1 errors" in table({"spread": found})


def test_without_a_limit_nothing_is_met() -> None:
    assert not measure([1.0], [0.0], unit="ms", limit_is="nothing", goal=2.0, at_most=True).met


def test_the_json_has_the_documented_shape(tmp_path: Path) -> None:
    path = tmp_path / "results/latest.json"
    results = Results({"cpu": "some"}, {"spread": spread()})
    results.write(path)
    written = json.loads(path.read_bytes())
    assert set(written) == {"machine", "scenarios"}
    assert {"value", "limit", "ratio", "goal", "unit", "runs"} <= set(written["scenarios"]["spread"])
    assert Results.read(path) == results


@pytest.mark.parametrize("text", [b"", b"[]", b'{"machine": {}, "scenarios": {"spread": {"value": null}}}'])
def test_what_has_another_shape_is_no_result(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "latest.json").write_bytes(text)
    assert Results.read(tmp_path / "latest.json") is None
    assert Results.read(tmp_path / "missing.json") is None


def test_a_scenario_alone_takes_its_place_among_the_last_results_of_this_machine() -> None:
    before = Results({"cpu": "some"}, {"spread": spread(1.0), "hot": spread(2.0)})
    now = Results({"cpu": "some"}, {"spread": spread(3.0)})
    assert {name: one.value for name, one in now.over(before).scenarios.items()} == {"spread": 3.0, "hot": 2.0}
    assert Results({"cpu": "other"}, now.scenarios).over(before).scenarios == now.scenarios


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0"), (0.01234, "0.0123"), (1.5, "1.50"), (52.25, "52.2"), (2951.4, "2,951")]
)
def test_numbers_show_what_counts(value: float, text: str) -> None:
    assert number(value) == text


def test_the_table_tells_where_the_time_goes() -> None:
    lines = table({"spread": spread(100.0)}).splitlines()
    assert lines[1].split() == ["spread", "100", "payments/s", "100", "1.00", "≥", "1.2", "missed"]
    assert lines[-1].split() == ["all", "325"]


def test_what_is_written_is_told_for_one_of_what_was_done_since() -> None:
    before, after = (Written(*(float(nth * times) for nth in range(1, 11))) for times in (1, 5))
    since = asdict(after.since(before, 8))
    assert since["wal_bytes"] == 0.5
    assert since["broker_bytes"] == 5.0
    assert asdict(before.since(before, 0)) == dict.fromkeys(since, 0.0), "of nothing there is nothing"


def test_the_table_tells_what_is_written() -> None:
    details = {"written_per_payment": {"wal_bytes": 20932.0}, "kept_bytes_per_payment": {"keys": {"tables": 1.5}}}
    lines = table({"spread": measure([1.0], [1.0], unit="", limit_is="", goal=1.0, details=details)}).splitlines()
    assert lines[-5:-3] == ["spread, what is written for a payment:", "  wal bytes  20,932"]
    assert lines[-2:] == ["spread, bytes that stay of a payment:", "  keys  1.50 in tables"]


def test_the_pictures_are_svg_for_light_and_dark() -> None:
    pictures = dict(plots.pictures({"spread": spread(), "relay": spread(300.0), "hot": spread(9.0, errors=1)}))
    assert set(pictures) == {"throughput.svg", "cpu.svg"}
    for text in pictures.values():
        assert ElementTree.fromstring(text).tag == f"{SVG}svg"
        assert "prefers-color-scheme: dark" in text
    bars = [bar for bar in ElementTree.fromstring(pictures["throughput.svg"]).iter(f"{SVG}rect") if bar.get("class")]
    widths = {kind: [float(b.get("width", 0)) for b in bars if b.get("class") == kind] for kind in ("ours", "limit")}
    assert widths["ours"][0] == pytest.approx(1.5 * widths["limit"][0], abs=0.2)
    assert len(widths["ours"]) == 2, "what is void is not drawn"


def test_nothing_is_drawn_of_what_was_not_measured() -> None:
    assert list(plots.pictures({})) == []


def test_processor_time_and_memory_include_the_children() -> None:
    busy = "import time\nwhile time.process_time() < 0.2: pass\nprint(flush=True); input()"
    outer = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])"
    with subprocess.Popen(
        [sys.executable, "-c", outer, busy], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert len(machine.family(process.pid)) == 2
        assert machine.cpu_s(process.pid) >= 0.1
        assert machine.memory_mib(process.pid, "VmRSS") > 2
        process.communicate("\n")


def test_the_machine_is_described() -> None:
    described = machine.describe("15.1", "3.10.8")
    assert described["cores"] == len(os.sched_getaffinity(0))
    assert int(described["memory_mib"]) > 0
    assert described["postgresql"] == "15.1"


@pytest.mark.parametrize("words", [["--repeats", "0"], ["--duration", "0.5"], ["--scenario", "fast"]])
def test_wrong_options_are_named(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(words)
    assert words[0] in capsys.readouterr().err


def test_every_scenario_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs/benchmarks.md").read_text()
    assert {name for name in SCENARIOS if f"`{name}`" not in text} == set()
