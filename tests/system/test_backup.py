"""The backup that the manual tells to make: taken, and brought back to a moment, on private servers."""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from app.main import databases
from app.main.local import postgres_binaries
from app.main.local.postgres import PostgresServer
from app.main.local.roles import OWNER, make_database, make_roles
from app.platform.postgres import migrations
from app.platform.process.processes import comes_true

PAGE = (Path(__file__).parents[2] / "docs/how-to/backup.md").read_text()
LIMIT_S = 300.0
PROVIDERS = "SELECT name FROM service_providers ORDER BY name"


def block(language: str, beginning: str = "") -> str:
    """The page's block of that language that begins so."""
    found: list[str] = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    (text,) = [text for text in found if text.startswith(beginning)]
    return text


@contextmanager
def serving(server: PostgresServer) -> Iterator[PostgresServer]:
    server.start()
    try:
        yield server
    finally:
        server.stop()


def type_in(text: str, prefix: Sequence[str], environment: Mapping[str, str]) -> None:
    """As the server's account, where the page tells to."""
    words = [*prefix, "bash", "-euc", text]
    done = subprocess.run(words, env=environment, cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def archiving_to(wal: Path) -> tuple[str, ...]:
    """The page's settings, with that folder for the log."""
    settings = [line.replace("/srv/wal", str(wal)) for line in block("ini").splitlines()]
    return tuple(re.sub(r" = '?(.*?)'?$", r"=\1", line) for line in settings)


def test_a_base_backup_and_its_log_bring_back_a_moment(tmp_path: Path) -> None:
    account = postgres_binaries.account(postgres_binaries.find(None), tmp_path)
    wal, restored = tmp_path / "wal", PostgresServer(tmp_path / "restored")
    for folder in (tmp_path, wal, restored.folder):
        folder.mkdir(exist_ok=True)
        os.chown(folder, account.uid, account.gid)
    with serving(PostgresServer(tmp_path / "lost", archiving_to(wal))) as lost:
        make_roles(lost.url(), "owner", "login")
        make_database(lost.url(), "strongbox")
        migrations.up(databases.at(lost.url("strongbox", OWNER, "owner")))
        environment = {
            "PATH": f"{lost.binaries}{os.pathsep}{os.environ['PATH']}",
            "ADMIN_URL": lost.url(), "BACKUP": str(tmp_path / "backup"), "WAL": str(wal), "PGDATA": str(restored.data),
        }  # fmt: skip

        with psycopg.connect(lost.url("strongbox"), autocommit=True) as connection:

            def add(name: str) -> None:
                connection.execute("INSERT INTO service_providers (id, name) VALUES (gen_random_uuid(), %s)", (name,))

            def is_archived() -> bool:
                row = connection.execute("SELECT last_archived_wal >= %s FROM pg_stat_archiver", (last,)).fetchone()
                return row == (True,)

            add("1 in the backup")
            type_in(block("sh", "pg_basebackup"), account.prefix, environment)
            add("2 in the log")
            environment["UNTIL"] = str(connection.execute("SELECT clock_timestamp()").fetchall()[0][0])
            add("3 too late")
            ((last,),) = connection.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchall()
            assert comes_true(is_archived, LIMIT_S)
        type_in(block("sh", "cp -a"), account.prefix, environment)
        (restored.folder / "password").write_text((lost.folder / "password").read_text())
    with serving(restored), psycopg.connect(restored.url("strongbox"), autocommit=True) as connection:
        is_over = "SELECT NOT pg_is_in_recovery()"
        assert comes_true(lambda: connection.execute(is_over).fetchone() == (True,), LIMIT_S)
        assert [name for (name,) in connection.execute(PROVIDERS)] == ["1 in the backup", "2 in the log"]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SET ROLE strongbox_app; DELETE FROM ledger_entries")
