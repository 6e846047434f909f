"""`strongbox chain key` and `strongbox chain address`."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.contexts.chain.adapters.evm.key_file import key_in
from app.contexts.chain.adapters.evm.transactions import address_of
from app.main.cli import main
from app.platform.eip55 import checksummed


def run(monkeypatch: pytest.MonkeyPatch, file: Path, *words: str) -> Result:
    monkeypatch.setenv("CHAIN_KEY_FILE", str(file))
    return CliRunner().invoke(main, ["chain", *words])


def test_a_key_is_made_that_is_its_owners_alone_and_only_its_address_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "chain.key"
    made = run(monkeypatch, file, "key")
    assert made.exit_code == 0, made.output
    assert made.output == f"{checksummed(address_of(key_in(file)))}\n"
    assert file.read_text().strip() not in made.output
    assert run(monkeypatch, file, "address").output == made.output


def test_a_key_that_is_there_is_never_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "chain.key"
    run(monkeypatch, file, "key")
    before = file.read_bytes()
    again, first = run(monkeypatch, file, "key"), run(monkeypatch, file, "key", "--first")
    assert (again.exit_code, first.exit_code) == (1, 0)
    assert "it stays" in again.output
    assert file.read_bytes() == before


def test_a_folder_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = run(monkeypatch, tmp_path / "nowhere/chain.key", "key")
    assert told.exit_code == 1
    assert "CHAIN_KEY_FILE" in told.output
    assert "cannot be written: No such file" in told.output
