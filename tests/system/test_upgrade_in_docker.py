"""Compose's PostgreSQL, from one major version to the next, by the page's commands, with a stand-in for `docker`."""

import os
import re
import subprocess
from pathlib import Path

import psycopg
import pytest
import yaml

from app.main import databases
from app.main.local.postgres import PostgresServer
from app.platform.postgres import migrations
from tests import servers

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/how-to/upgrade.md").read_text().partition("## In Docker\n")[2]
SERVICES = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
# Of `docker compose exec -T postgres COMMAND` it runs the command.
DOCKER = '#!/bin/sh\nwhile [ "$1" != postgres ]; do shift; done\nshift\nexec "$@"\n'
PASSWORDS = {"STRONGBOX_OWNER_PASSWORD": "owner", "STRONGBOX_SERVICE_PASSWORD": "service"}


def typed_into(server: PostgresServer, folder: Path, command: str) -> None:
    assert server.binaries
    superuser = server.url().split(":")[2].partition("@")[0]
    environment = os.environ | PASSWORDS | {
        "PATH": f"{folder}:{server.binaries}:{os.environ['PATH']}", "PGHOST": "127.0.0.1", "PGPORT": str(server.port),
        "PGPASSWORD": superuser, "POSTGRES_USER": "postgres", "POSTGRES_DB": "postgres",
    }  # fmt: skip
    done = subprocess.run(
        ["sh", "-ec", command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def line_with(word: str) -> str:
    (line,) = re.findall(rf"^ *(docker compose exec -T postgres {word}.*)$", PAGE, re.MULTILINE)
    return str(line)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "docker").write_text(DOCKER)
    (tmp_path / "docker").chmod(0o755)
    return tmp_path


def test_what_is_dumped_from_the_old_database_is_all_there_in_the_new_one_and_the_services_may_use_it(
    folder: Path,
) -> None:
    old, new = PostgresServer(folder / "old"), PostgresServer(folder / "new")
    count = "SELECT (SELECT count(*) FROM service_providers), (SELECT last_value FROM ticket)"
    try:
        for server in (old, new):
            server.start()
            typed_into(server, folder, f"sh {ROOT / 'deploy/make-roles.sh'}")
        owner = old.url("strongbox", "strongbox_owner", "owner")
        migrations.up(databases.at(owner))
        with psycopg.connect(owner) as connection:
            connection.execute("INSERT INTO service_providers (id, name) VALUES (gen_random_uuid(), 'Acme')")
            connection.execute("CREATE SEQUENCE ticket START 7")
        typed_into(old, folder, line_with("pg_dump"))
        typed_into(new, folder, line_with("pg_restore"))
        owner = new.url("strongbox", "strongbox_owner", "owner")
        assert migrations.up(databases.at(owner)) == []
        with psycopg.connect(owner) as connection:
            assert connection.execute(count).fetchone() == (1, 7)
        with psycopg.connect(new.url("strongbox", "strongbox_service", "service")) as connection:
            connection.execute("SELECT count(*) FROM payments")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("DROP TABLE payments")
    finally:
        old.stop()
        new.stop()


def test_the_data_of_postgres_lies_in_the_volume() -> None:
    """From 18 on the image keeps it in a folder of /var/lib/postgresql, and refuses a volume at `data`."""
    major = int(SERVICES["postgres"]["image"].rpartition(":")[2])
    assert major >= 18
    assert "postgres:/var/lib/postgresql" in SERVICES["postgres"]["volumes"]


def test_versions_are_the_same_wherever_they_are_named() -> None:
    assert f"{servers.DOCKER_IMAGE}-management" == SERVICES["rabbitmq"]["image"]
    table = (ROOT / "docs/operations.md").read_text().partition("## Versions\n")[2].partition("\n## ")[0]
    for name, product in (("postgres", "PostgreSQL"), ("rabbitmq", "RabbitMQ")):
        version = SERVICES[name]["image"].rpartition(":")[2].removesuffix("-management")
        assert re.search(rf"^\| {product} \|.*\b{re.escape(version)}\b", table, re.MULTILINE)
