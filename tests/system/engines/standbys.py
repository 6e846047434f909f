"""A PostgreSQL and its standby: made, promoted, and made anew of what was a primary."""

import os
import shutil
import subprocess

import psycopg
from psycopg import sql

from app.main.local import postgres_binaries
from app.main.local.postgres import PostgresServer
from app.platform.process.processes import CannotStart, comes_true
from app.platform.process.secret_files import secret, write_privately

FOLLOWS_WITHIN_S = 60.0


def follow(standby: PostgresServer, primary: PostgresServer) -> None:
    """Make the one anew as a copy of the other that follows it, and wait until COMMITs wait for it."""
    shutil.rmtree(standby.data, ignore_errors=True)
    standby.folder.mkdir(exist_ok=True)
    write_privately(standby.folder / "password", secret(primary.folder / "password"))
    standby.data.mkdir(mode=0o700)
    owner = primary.data.stat()
    os.chown(standby.data, owner.st_uid, owner.st_gid)
    _run(standby, "pg_basebackup", "-D", str(standby.data), "-d", primary.url(), "-R", "-X", "stream", "-c", "fast")
    standby.start()
    wait_for(primary, "*")


def follow_on(standby: PostgresServer, primary: PostgresServer) -> None:
    """Have what ended in good order as a primary follow the one that took its place."""
    signal_file = standby.data / "standby.signal"
    signal_file.touch()
    owner = standby.data.stat()
    os.chown(signal_file, owner.st_uid, owner.st_gid)
    settings = standby.settings
    standby.settings = (*settings, f"primary_conninfo={primary.url()}")
    standby.start()
    standby.settings = settings
    wait_for(primary, "*")


def promote(standby: PostgresServer) -> None:
    """Have it take the primary's place. There is nobody any more whom its COMMITs could wait for."""
    _alter(standby, "")
    _run(standby, "pg_ctl", "promote", "-w", "-D", str(standby.data))


def wait_for(primary: PostgresServer, names: str) -> None:
    """Have each COMMIT wait for standbys of these names, once there is one."""
    with psycopg.connect(primary.url(), autocommit=True) as session:
        ask = "SELECT FROM pg_stat_replication WHERE state = 'streaming'"
        if not comes_true(lambda: bool(session.execute(ask).fetchall()), FOLLOWS_WITHIN_S):
            raise CannotStart("the standby does not follow")
    _alter(primary, names)


def _alter(server: PostgresServer, names: str) -> None:
    with psycopg.connect(server.url(), autocommit=True) as session:
        session.execute(sql.SQL("ALTER SYSTEM SET synchronous_standby_names = {}").format(sql.Literal(names)))
        session.execute("SELECT pg_reload_conf()")


def _run(server: PostgresServer, *words: str) -> None:
    binaries = postgres_binaries.find()
    prefix = postgres_binaries.account(binaries, server.folder).prefix
    command = [*prefix, str(binaries.folder / words[0]), *words[1:]]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    if done.returncode != 0:
        raise CannotStart(f"{words[0]}: {done.stdout}{done.stderr}")
