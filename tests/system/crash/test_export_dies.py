"""`strongbox export`, killed in the middle of a file: never half of a day, and it goes on where it was."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from app.contexts.funds.adapters.exports.folder import MANIFEST
from app.main.local.roles import Urls
from tests.api_harness import wait_until
from tests.conftest import MakeDatabase

FORMATS = ("csv", "jsonl", "parquet")
DAYS = ("2026-01-01", "2026-01-02", "2026-01-03")
LIMIT_S = 300.0
A_DAY = 40_000
"""Entries: some MB, which take a second to write."""

_FILL = f"""
    INSERT INTO transactions (user_id, id, kind, amount, currency, status, created_at)
    SELECT md5('user ' || n % 50)::uuid, gen_random_uuid(), 'FUNDING', n + 1, 'USD', 'COMPLETED',
           timestamptz '2026-01-01 00:00Z' + n * interval '3 days' / {A_DAY * 3 // 2}
    FROM generate_series(0, {A_DAY * 3 // 2 - 1}) n;
    INSERT INTO ledger_entries (user_id, transaction_id, account, currency, amount, balance_after, wallet_version,
                                created_at)
    SELECT user_id, id, 'wallet', currency, amount, amount,
           row_number() OVER (PARTITION BY user_id ORDER BY created_at), created_at FROM transactions
    UNION ALL SELECT user_id, id, 'funding', currency, -amount, NULL, NULL, created_at FROM transactions;
"""


@pytest.fixture(scope="module")
def books(make_fresh_database: MakeDatabase) -> Urls:
    """Three days of a ledger."""
    urls = make_fresh_database()
    with psycopg.connect(urls.owner_url, autocommit=True) as owner:
        owner.execute(_FILL.encode())
    return urls


@pytest.fixture
def export(books: Urls, tmp_path: Path) -> Iterator[Callable[..., "subprocess.Popen[bytes]"]]:
    """Begins the command in a process of its own; what is still there at the end is killed."""
    begun: list[subprocess.Popen[bytes]] = []

    def begin(*words: str) -> "subprocess.Popen[bytes]":
        environment = {**os.environ, "DATABASE_URL": books.app_url}
        command = [sys.executable, "-m", "app", "export", *words]
        begun.append(subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE))
        return begun[-1]

    yield begin
    for process in begun:
        process.kill()
        process.communicate()


def range_of(out: str, format_: str) -> tuple[str, ...]:
    return "--from", DAYS[0], "--to", "2026-01-04", "--format", format_, "--out", out


def killed_over(part: Path, export: Callable[..., "subprocess.Popen[bytes]"], format_: str) -> bool:
    """Whether one that writes it was killed before it was through with it: that takes somebody who looks in time."""
    shutil.rmtree(part.parent, ignore_errors=True)
    begun = export(*range_of(part.parent.name, format_))
    wait_until(lambda: begun.poll() is not None or (part.exists() and part.stat().st_size > 0), LIMIT_S)
    begun.send_signal(signal.SIGKILL)
    return begun.wait(LIMIT_S) == -signal.SIGKILL and part.exists()


@pytest.mark.parametrize("format_", [FORMATS[0], *(pytest.param(one, marks=pytest.mark.long) for one in FORMATS[1:])])
@pytest.mark.parametrize("day", [DAYS[0], pytest.param(DAYS[2], marks=pytest.mark.long)])
def test_who_is_killed_in_the_middle_of_a_file_leaves_no_half_of_it_and_goes_on_there(
    export: Callable[..., "subprocess.Popen[bytes]"], tmp_path: Path, format_: str, day: str
) -> None:
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    part = killed / f"{day}.{format_}.part"
    wait_until(lambda: killed_over(part, export, format_), LIMIT_S)
    done = DAYS[: DAYS.index(day)]
    assert sorted(path.name for path in killed.glob(f"*.{format_}")) == [f"{one}.{format_}" for one in done]
    if done:
        assert export("check", "killed").wait(LIMIT_S) == 0
    else:
        assert not (killed / MANIFEST).exists()
    again = export(*range_of("killed", format_))
    told, _ = again.communicate(timeout=LIMIT_S)
    assert again.returncode == 0
    assert [line.split()[0].decode() for line in told.splitlines()] == [*DAYS[len(done) :]]
    assert export("check", "killed").wait(LIMIT_S) == 0
    assert not part.exists()
    assert export(*range_of("whole", format_)).wait(LIMIT_S) == 0
    for one in (*(f"{day}.{format_}" for day in DAYS), MANIFEST):
        assert (killed / one).read_bytes() == (whole / one).read_bytes()


def test_one_that_is_told_to_end_ends_between_two_entries_and_another_goes_on(
    export: Callable[..., "subprocess.Popen[bytes]"], tmp_path: Path
) -> None:
    first = export(*range_of("out", "csv"))
    wait_until(lambda: first.poll() is not None or (tmp_path / "out" / f"{DAYS[0]}.csv.part").exists(), LIMIT_S)
    first.terminate()
    assert first.wait(LIMIT_S) == 0
    assert not [*(tmp_path / "out").glob("*.part")]
    assert export(*range_of("out", "csv")).wait(LIMIT_S) == 0
    assert export("check", "out").wait(LIMIT_S) == 0
