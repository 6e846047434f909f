"""What operators do with people and tenants on the command line."""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import bcrypt
import pytest

from app.main.local.roles import Urls
from tests import forks
from tests.identity.people import Population

ID = re.compile(r"[A-Za-z0-9._-]+")
HASH = bcrypt.hashpw(b"imported song", bcrypt.gensalt(4)).decode()


@dataclass(frozen=True)
class Ended:
    """A command's end."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        return self.stdout + self.stderr


Run = Callable[..., Ended]


@pytest.fixture
def run(module_database: Urls) -> Run:
    """Runs a command over the module's database; what is typed comes from no terminal."""
    environment = {"DATABASE_URL": module_database.app_url, "PATH": "", "LOG_LEVEL": "error"}

    def run(words: str, typed: bytes | None = None) -> Ended:
        command = ("app", *words.split())
        if typed is None:
            done = forks.run(command, Path.cwd(), environment)
            return Ended(done.returncode, done.stdout, done.stderr)
        own = subprocess.run(
            [sys.executable, "-m", *command], input=typed, env=environment, capture_output=True, check=False
        )
        return Ended(own.returncode, own.stdout.decode(), own.stderr.decode())

    return run


def lines(path: Path, *users: dict[str, Any] | str) -> Path:
    path.write_text("\n".join(user if isinstance(user, str) else json.dumps(user) for user in users) + "\n")
    return path


def test_a_user_is_added_shown_and_disabled(run: Run, people: Population) -> None:
    added = run("user add Op@Example.org --role admin --json", b"a line of a song\n")
    assert added.exit_code == 0, added.output
    user_id = json.loads(added.stdout)["user_id"]
    assert ID.fullmatch(user_id)
    shown = json.loads(run(f"user show {user_id} --json").stdout)
    assert (shown["email"], shown["role"], shown["email_verified"]) == ("op@example.org", "admin", True)
    assert shown["is_active"] is True
    assert "op@example.org" in run(f"users show {user_id}").stdout
    for _ in range(2):
        assert json.loads(run(f"user disable {user_id} --json").stdout) == {"user_id": user_id, "is_active": False}
    assert json.loads(run(f"user show {user_id} --json").stdout)["is_active"] is False
    done = people.rows(
        "SELECT action, details FROM audit.actions WHERE details ->> 'user_id' = %s ORDER BY id", user_id
    )
    assert [action for action, _ in done] == ["user add", "user disable", "user disable"]
    assert "example.org" not in str(done)


@pytest.mark.parametrize("end", [b"", b"\r\n"])
async def test_the_password_is_all_of_the_line_but_its_end(run: Run, people: Population, end: bytes) -> None:
    email = f"{uuid4().hex}@example.org"
    added = await asyncio.to_thread(run, f"user add {email}", b" blanks count " + end)
    assert added.exit_code == 0, added.output
    user, _ = await people.container.log_in()(await people.tenant(), email, " blanks count ")
    assert added.stdout == f"{user.id}\n"


@pytest.mark.parametrize(
    ("words", "typed", "code", "told"),
    [
        ("user add nobody", None, 2, "must be an e-mail address"),
        ("user add x@example.org", b"short", 2, "must have 8 to 256 characters"),
        ("user add x@example.org", b"password", 2, "everybody tries first"),
        ("user add x@example.org", b"\xff\xff\xff\xff\xff\xff\xff\xff", 2, "is not UTF-8"),
        ("user add x@example.org --role king", None, 2, "'king' is not one of"),
        ("user add x@example.org --tenant nowhere", b"a line of a song", 1, "there is no tenant 'nowhere'"),
        ("user show abc", None, 1, "there is no such user"),
        ("user show nobody@example.org", None, 1, "there is no such user"),
        ("user show 0x0000000000000000000000000000000000000001", None, 1, "there is no such user"),
        ("user show abc --tenant nowhere", None, 1, "there is no tenant 'nowhere'"),
        ("user show 01890a5d-ac96-774b-bcce-b302099a8057", None, 1, "there is no such user"),
        ("user disable 01890a5d-ac96-774b-bcce-b302099a8057", None, 1, "there is no such user"),
        ("user import nowhere.jsonl", None, 2, "does not exist"),
        ("tenant add Shop", None, 2, "lower-case"),
        ("tenant add shop --host shop:80", None, 2, "a host without a port"),
        ("tenant add default", None, 1, "a tenant has this name already"),
    ],
)
def test_what_cannot_be_done_is_said(run: Run, words: str, typed: bytes | None, code: int, told: str) -> None:
    ended = run(words, typed)
    assert (ended.exit_code, told in ended.output) == (code, True), ended.output
    assert "Traceback" not in ended.output


def test_an_email_that_somebody_has_is_refused_and_in_another_tenant_is_not(run: Run) -> None:
    assert run("user add twice@example.org", b"a line of a song").exit_code == 0
    again = run("user add TWICE@example.org", b"a line of a song")
    assert (again.exit_code, "somebody has this e-mail already" in again.output) == (1, True)
    tenant = json.loads(run("tenant add shop --host SHOP.example.org --json").stdout)
    assert ID.fullmatch(tenant["tenant_id"])
    assert tenant["host"] == "shop.example.org"
    assert run("user add twice@example.org --tenant shop", b"a line of a song").exit_code == 0
    shown = json.loads(run("tenant show --json").stdout)["tenants"]
    assert shown[0]["name"] == "default"
    assert tenant in shown
    assert "shop.example.org" in run("tenants show").stdout
    host = run("tenant add other --host shop.example.org")
    assert (host.exit_code, "a tenant has this host already" in host.output) == (1, True)


def test_users_from_elsewhere_are_imported_with_their_hashes_and_ids(
    run: Run, people: Population, tmp_path: Path
) -> None:
    user_id = str(uuid4())
    address = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"
    file = lines(
        tmp_path / "users.jsonl",
        {
            "user_id": user_id,
            "email": " In@Example.org",
            "password_hash": HASH,
            "username": "imported",
            "role": "seller",
        },
        "",
        {"wallet_address": address, "is_active": False},
        {"email": "unverified@example.org", "email_verified": False, "first_name": "Zoe\u0308"},
    )
    imported = run(f"user import {file} --json")
    assert imported.exit_code == 0, imported.output
    told = json.loads(imported.stdout)
    assert told["imported"] == 3
    assert told["user_ids"][0] == user_id
    shown = [json.loads(run(f"user show {one} --json").stdout) for one in told["user_ids"]]
    assert [one["email"] for one in shown] == ["in@example.org", None, "unverified@example.org"]
    assert [one["email_verified"] for one in shown] == [True, False, False]
    assert shown[1]["wallet_address"] == "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
    assert shown[1]["is_active"] is False
    assert shown[2]["first_name"] == "Zoë"
    for spelled, one in [("IN@example.ORG", 0), ("imported", 0), (address, 1), (shown[1]["wallet_address"], 1)]:
        assert json.loads(run(f"user show {spelled} --json").stdout) == shown[one]
    told_of = people.rows("SELECT type FROM identity.outbox_events WHERE subject = ANY(%s::uuid[])", told["user_ids"])
    assert told_of == [("user.registered",)] * 3


def test_of_an_import_all_lines_are_taken_or_none_and_each_that_is_wrong_is_named(
    run: Run, people: Population, tmp_path: Path
) -> None:
    before = people.rows("SELECT count(*) FROM identity.users")
    file = lines(
        tmp_path / "users.jsonl",
        {"email": "good@example.org", "password_hash": HASH},
        "not JSON",
        {"email": "x@example.org", "password_hash": "5f4dcc3b5aa765d61d8327deb882cf99"},
        {"email": "secret value"},
        {"username": "nobody_can_log_in"},
        {"email": "y@example.org", "password": "in clear"},
        '{"email": "a@example.org", "email": "b@example.org"}',
    )
    ended = run(f"user import {file}")
    assert ended.exit_code == 1
    for told in (
        "line 2: body must be one JSON object",
        "line 3: password_hash must be a hash of bcrypt",
        "line 4: email must be an e-mail",
        "line 5: email or wallet_address is required",
        "line 6: password is not a member",
        "line 7: email must be there once",
    ):
        assert told in ended.output
    assert "secret value" not in ended.output
    assert people.rows("SELECT count(*) FROM identity.users") == before


def test_an_import_names_the_lines_of_what_is_there_already_or_twice(
    run: Run, people: Population, tmp_path: Path
) -> None:
    assert run("user add there@example.org", b"a line of a song").exit_code == 0
    run("tenant add far")
    ((foreign,),) = people.rows(
        "INSERT INTO identity.users (tenant_id, id, role, created_at)"
        " SELECT id, gen_random_uuid(), 'customer', now() FROM identity.tenants WHERE name = 'far' RETURNING id::text"
    )
    file = lines(
        tmp_path / "users.jsonl",
        {"email": "one@example.org"},
        {"email": "there@example.org"},
        {"email": "ONE@example.org"},
        {"email": "foreign@example.org", "user_id": foreign},
    )
    ended = run(f"user import {file}")
    assert ended.exit_code == 1
    for told in (
        "line 1: email is that of another line, too",
        "line 2: email is somebody's already",
        "line 3: email is that of another line, too",
        "line 4: user_id is somebody's already",
    ):
        assert told in ended.output
    assert people.rows("SELECT 1 FROM identity.users WHERE email = 'one@example.org'") == []
    assert "one@example.org" not in ended.output
