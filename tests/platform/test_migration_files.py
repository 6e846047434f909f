"""The schema's files: never changed under the feet of who has run them."""

import hashlib
from pathlib import Path

import pytest

from app.main import databases
from app.platform.postgres.home import number

HOME = Path(__file__).parents[2] / "migrations"

# A migration that has been published is never edited: whoever has run it would not get the change. When one has to be
# mended before its first release, its checksum here is changed with it.
CHECKSUMS = {
    "0001.ledger": "61f87481c614ba4a",
    "0002.consumers": "fe1cda1b5d7ae833",
    "0003.bytes": "54cefd3b9f5fa0c5",
    "0004.bytes": "0e5136eb04ea76e3",
    "0005.outbox": "75534f13471354fe",
    "0006.people": "fa2282e7c8e5cc54",
    "0007.transfers": "caf49dc250e7eb43",
    "0008.catalog": "216d81d083d9aac8",
    "0009.ordering": "b3e95df748315919",
    "0010.rewards": "aa671de7a115b105",
    "0011.mint": "f82bf56257ccdaff",
    "0012.chain": "973b7b62900ba127",
    "0013.auctions": "a14fd2a1ef2a7fde",
    "0014.refunds": "278f66157aedcdb5",
    "0015.webhooks": "0d3f3b93f551d2ea",
    "0016.past": "03e1989d173b7359",
    "0017.reconciliation": "7f575edd43e0ce2b",
    "0018.refunds": "f575ac6076f72863",
}


@pytest.mark.parametrize(("name", "checksum"), CHECKSUMS.items())
def test_a_migration_that_may_have_been_run_is_not_edited(name: str, checksum: str) -> None:
    (file,) = HOME.rglob(f"{name}.sql")
    assert hashlib.sha256(file.read_bytes()).hexdigest()[:16] == checksum


def test_every_migration_has_a_checksum_and_a_way_back() -> None:
    files = {path.stem for path in HOME.rglob("*.sql")}
    assert {name for name in files if not name.endswith(".rollback")} == set(CHECKSUMS)
    assert {f"{name}.rollback" for name in CHECKSUMS} <= files


def test_the_folders_share_one_line_of_numbers() -> None:
    files = {path.stem for path in HOME.rglob("*.sql") if not path.stem.endswith(".rollback")}
    assert sorted(map(number, files)) == [*range(1, len(files) + 1)]
    folders = {folder for target in databases.at("") for folder in target.folders}
    assert {path.parent for path in HOME.rglob("*.sql")} == folders
