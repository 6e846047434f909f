"""The bank test in its short form: little load, two faults, the whole audit."""

from pathlib import Path

from tests.system.soak.report import Progress
from tests.system.soak.soak import Options, soak


async def test_the_books_hold_after_twenty_seconds_of_load_and_two_faults(tmp_path: Path) -> None:
    """With this seed an API of two workers is restarted, and the database dies. The long form, which alone has a
    machine to itself and holds the service to the seconds that it promises: `make soak`."""
    report = await soak(Options(duration_s=20, seed=78, faults=2, logs=tmp_path, slower=6), Progress())
    report.write(tmp_path / "report.json")
    assert report.verdict == "holds", report.text()
