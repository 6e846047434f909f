"""What an API is told whose keys are missing or unfit, and the command that makes them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.contexts.identity.adapters.jwt.key_set import KeyRing, check_keys
from app.main.cli import main
from app.main.contexts import load
from app.main.local.plan import made_here
from app.platform.process.settings import InvalidSettings


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


def test_a_start_with_unfit_keys_stops_and_names_the_setting(file: Path) -> None:
    file.write_text('{"keys": [{"kty": "oct", "k": "c2hvcnQ", "kid": "x"}]}')
    file.chmod(0o600)
    with pytest.raises(InvalidSettings, match=r"^JWT_KEYS: key 1 has 5 bytes"):
        check_keys(KeyRing(file))


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"JWT_KEYS": ""}, "JWT_KEYS is not set"),
        ({"LOG_HASH_KEY": ""}, "LOG_HASH_KEY is not set"),
        ({"JWT_KEYS": "/nowhere/keys.json"}, "JWT_KEYS: /nowhere/keys.json cannot be read"),
    ],
)
@pytest.mark.parametrize("words", [("api",), ("api", "--workers", "2"), ("api", "--only", "funds")], ids=" ".join)
def test_without_keys_no_api_starts(tmp_path: Path, settings: dict[str, str], why: str, words: tuple[str, ...]) -> None:
    given = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "DATABASE_URL": "postgresql://127.0.0.1:1/none",
        "GATEWAY_URL": "http://127.0.0.1:1",
        "API_KEYS": "x",
        **made_here(load({"JWT_ALG": "EdDSA"}), {"HTTP_PORT": 8080}, tmp_path),
        **settings,
    }
    done = subprocess.run(
        [sys.executable, "-m", "app", *words], env=given, cwd=tmp_path, capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert why in done.stderr


def test_the_command_makes_the_first_key_and_the_next(file: Path) -> None:
    given = {"JWT_KEYS": str(file), "JWT_ALG": "HS256", "DATABASE_URL": "", "CONTEXTS": "identity"}
    first = CliRunner(env=given).invoke(main, ["keys", "rotate", "--first", "--json"])
    assert first.exit_code == 0, first.output
    stays = CliRunner(env=given).invoke(main, ["keys", "rotate", "--first"])
    assert (stays.exit_code, "they stay" in stays.output) == (0, True)
    second = CliRunner(env=given).invoke(main, ["keys", "rotate", "--json"])
    kids = [json.loads(each.stdout)["kid"] for each in (first, second)]
    assert [key["kid"] for key in json.loads(file.read_text())["keys"]] == kids
    file.chmod(0o644)
    refused = CliRunner(env=given).invoke(main, ["keys", "rotate"])
    assert (refused.exit_code, "0600" in refused.output) == (1, True)
