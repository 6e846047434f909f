"""Whether what the Makefile, the Dockerfile, compose and CI name exists, as far as Docker is not needed to tell."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from app.main import databases
from app.main.contexts import CONTEXTS, load
from app.main.local.announce import demo_commands
from app.main.local.postgres import PostgresServer
from app.platform.postgres import migrations
from app.platform.process.heartbeat import STALE_AFTER_S, is_beating
from app.platform.process.loading import all_settings

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "strongbox"}
MAKEFILE = (ROOT / "Makefile").read_text()
OF_THEIR_OWN = {"rewards": "rewards.rules", "mint": "mint.mint_requests", "chain": "chain.wallet_nonces"}
"""Contexts with databases of their own, and a table of each."""
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))


def runs(*words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a command of the image here: `strongbox` and `python` are those of the tests."""
    if words[0] == "strongbox":
        words = ("python", "-m", "app", *words[1:])
    assert words[0] == "python", words
    return subprocess.run(
        [sys.executable, *words[1:]], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300,
        env=os.environ | environment,
    )  # fmt: skip


def shell_lines(service: dict[str, Any]) -> Iterator[list[str]]:
    """The commands of a service, word by word."""
    command = service["command"]
    if command[0] == "sh":
        called = re.findall(r"\b(?:strongbox|python) [^)>\n]+", command[-1])
        yield from map(shlex.split, called)
    else:
        yield command


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_watched_and_comes_back(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] in ("unless-stopped", "on-failure")
    assert service["healthcheck"]["test"][0] == "CMD"
    assert {"interval", "timeout"} <= set(service["healthcheck"])


@pytest.mark.parametrize("name", OURS)
def test_every_command_of_compose_exists(name: str) -> None:
    for words in shell_lines(OURS[name]):
        answer = runs(*words, "--help")
        assert answer.returncode == 0, answer.stderr
        assert "sage: " in answer.stdout


@pytest.mark.parametrize("name", OURS)
def test_every_health_check_of_compose_runs_and_tells_the_dead(name: str) -> None:
    test = OURS[name]["healthcheck"]["test"][1:]
    if test[0] == "strongbox":
        assert runs(*test, "--help").returncode == 0
    else:
        answer = runs(*[re.sub(":8[05]", ":9", word) for word in test])
        assert (answer.returncode, answer.stderr) == (1, "")


def test_a_heartbeat_is_seen_while_it_is_fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEARTBEAT_DIR", str(tmp_path))
    file = tmp_path / "strongbox-relay.alive"
    assert not is_beating("relay")
    file.touch()
    assert is_beating("relay")
    # As if it were touched meanwhile, however long the asking process takes to start.
    ahead = file.stat().st_mtime + 300
    os.utime(file, (ahead, ahead))
    assert runs("python", "-m", "app.platform.process.heartbeat", "relay").returncode == 0
    old = ahead - 300 - STALE_AFTER_S - 1
    os.utime(file, (old, old))
    assert not is_beating("relay")


@pytest.mark.parametrize("name", OURS)
def test_the_services_settings_are_settings(name: str) -> None:
    of_stand_ins = {"MOCK_GATEWAY_HOST", "MOCK_GATEWAY_JOURNAL", "DEV_CHAIN_HOST", "DEV_CHAIN_FOLDER"}
    known = {setting.name for setting in all_settings(CONTEXTS)} | of_stand_ins | {"STRONGBOX_CONFIG"}
    assert set(OURS[name]["environment"]) <= known


def test_the_demo_data_is_that_of_a_local_run() -> None:
    assert [words[1:] for words in shell_lines(SERVICES["demo-data"])] == [list(words) for words in demo_commands()]


def test_compose_gives_contexts_the_databases_that_it_makes() -> None:
    (listed,) = re.findall(r"ARRAY\[(.*)\]", (ROOT / "deploy/make-databases.sh").read_text())
    assert re.findall(r"'(\w+)'", listed) == [*OF_THEIR_OWN]
    for name in OF_THEIR_OWN:
        setting = f"{name.upper()}_DATABASE_URL"
        given = {
            one["environment"][setting].rpartition("/")[2] for one in OURS.values() if setting in one["environment"]
        }
        assert given == {SERVICES["migrate"]["environment"][f"MIGRATE_{setting}"].rpartition("/")[2]} == {name}


def test_services_start_on_a_migrated_schema_only() -> None:
    def waits_for_the_migrations(name: str) -> bool:
        needed = SERVICES[name].get("depends_on", {})
        done = {other for other, how in needed.items() if how["condition"] == "service_completed_successfully"}
        return "migrate" in done or any(map(waits_for_the_migrations, done))

    without = {name for name in OURS if not waits_for_the_migrations(name)}
    assert without == {"migrate", "keys", "mock-gateway", "chain-key", "chain-node"}


def test_the_roles_script_makes_an_owner_that_migrates_and_a_login_that_cannot(tmp_path: Path) -> None:
    server = PostgresServer(tmp_path / "postgres")
    server.start()
    assert server.binaries
    try:
        environment = os.environ | {
            "PATH": f"{server.binaries}:{os.environ['PATH']}",
            "PGHOST": "127.0.0.1",
            "PGPORT": str(server.port),
            "PGUSER": "postgres",
            "PGPASSWORD": server.url().split(":")[2].partition("@")[0],
            "POSTGRES_USER": "postgres",
            "POSTGRES_DB": "postgres",
            "STRONGBOX_OWNER_PASSWORD": "the owner's",
            "STRONGBOX_SERVICE_PASSWORD": "service",
        }
        subprocess.run(["sh", str(ROOT / "deploy/make-roles.sh")], env=environment, check=True, capture_output=True)
        for _ in range(2):  # whatever is there stays
            subprocess.run(["sh", str(ROOT / "deploy/make-databases.sh")], env=environment, check=True)
        owner = server.url("strongbox", "strongbox_owner", "the%20owner%27s")
        homes = {
            f"MIGRATE_{name.upper()}_DATABASE_URL": server.url(name, "strongbox_owner", "the%20owner%27s")
            for name in OF_THEIR_OWN
        }
        assert migrations.up(databases.owned(load({"MIGRATE_DATABASE_URL": owner, "DATABASE_URL": owner, **homes})))
        for name, table in OF_THEIR_OWN.items():
            with psycopg.connect(server.url(name, "strongbox_service", "service")) as connection:
                connection.execute(f"SELECT count(*) FROM {table}".encode())
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(f"DROP TABLE {table}".encode())
        with psycopg.connect(server.url("strongbox", "strongbox_service", "service")) as connection:
            connection.execute("SELECT count(*) FROM payments")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("DROP TABLE payments")
    finally:
        server.stop()


def test_make_has_every_promised_target_and_lists_it() -> None:
    promised = {"setup", "run", "demo", "test", "lint", "fmt", "clean", "up", "down", "reset", "logs", "consume"}
    promised |= {"rabbit-ui", "migrate", "migrate-up", "migrate-down", "migrate-version", "migrate-force"}
    listed = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert promised <= TARGETS
    assert promised <= {line.split()[0] for line in listed.stdout.splitlines() if line.strip()}


def test_migrate_force_wants_the_version_said() -> None:
    answer = subprocess.run(["make", "migrate-force"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode == 2
    assert "make migrate-force V=3" in answer.stderr


@pytest.mark.parametrize("path", [".github/workflows/ci.yml", ".ci/run"])
def test_ci_runs_targets_that_exist(path: str) -> None:
    text = (ROOT / path).read_text()
    if path.endswith(".yml"):
        steps = [step for job in yaml.safe_load(text)["jobs"].values() for step in job["steps"]]
        text = "\n".join(step.get("run", "") for step in steps)
    words = " ".join(re.findall(r"^(?:nice -n \d+ )?make (.*)$", text, re.MULTILINE)).split()
    called = {word for word in words if re.fullmatch("[a-z][a-z-]*", word)}
    assert {"lint", "test"} <= called <= TARGETS


SCRIPTS = [
    "deploy/make-databases.sh",
    "deploy/make-roles.sh",
    "tests/install-servers.sh",
    "tests/lock.sh",
    "tests/today.sh",
]


@pytest.mark.parametrize("path", SCRIPTS)
def test_shell_scripts_parse(path: str) -> None:
    subprocess.run(["sh", "-n", str(ROOT / path)], check=True)


@pytest.mark.parametrize("path", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_pins_versions_and_says_nothing_of_where_they_come_from(path: str) -> None:
    lines = [line for line in (ROOT / path).read_text().splitlines() if not line.startswith("#")]
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9.-]+==[0-9][a-z0-9.]*", line)] == []


def test_the_lock_of_the_service_is_part_of_that_of_the_tools() -> None:
    run, dev = (
        set((ROOT / name).read_text().splitlines()[2:]) for name in ("requirements.lock", "requirements-dev.lock")
    )
    assert run <= dev
