"""What may become a password, what it is hashed to, and what is taken of hashes from elsewhere."""

import unicodedata

import argon2
import bcrypt
import pytest

from app.contexts.identity.adapters.passwords import hashes
from app.contexts.identity.domain import passwords

NFC, NFD = "Zoë's pässword", unicodedata.normalize("NFD", "Zoë's pässword")


def with_bcrypt(password: bytes, kind: bytes = b"2b", cost: int = 4) -> str:
    return bcrypt.hashpw(password[:72], bcrypt.gensalt(cost)).replace(b"$2b$", b"$" + kind + b"$").decode()


@pytest.mark.parametrize(
    "text", ["eight888", "x y z 1 2 3", "日本語のパスワード", "👩\u200d🚀" * 4, "a" * 15 + "b" * 241]
)
def test_passwords_are_eight_to_256_characters_of_any_kind(text: str) -> None:
    assert passwords.complaint(text, 8) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "seven77",
        "x" * 257,
        "with a \x00 in it",
        "half \ud800 a pair",
        "password",
        "PassWord123",
        "12345678",
        "qwertyuiop",
        "iloveyou",
        "aaaaaaaa",
        "dragon2024",
        "ë" * 7,
    ],
)
def test_what_is_too_short_too_long_or_tried_first_is_none(text: str) -> None:
    assert passwords.complaint(text, 8) is not None


def test_the_fewest_characters_are_a_setting() -> None:
    assert passwords.complaint("eleven char", 12) is not None
    assert passwords.complaint("twelve chars", 12) is None


def test_new_hashes_are_argon2id_at_no_less_than_the_price() -> None:
    made = argon2.extract_parameters(hashes.make("a line of a song"))
    assert made.type is argon2.Type.ID
    assert made.memory_cost >= 19 * 1024
    assert made.time_cost >= 2
    assert hashes.make("same") != hashes.make("same")


def test_a_password_fits_however_its_characters_are_composed() -> None:
    made = hashes.make(NFD)
    assert hashes.fits(made, NFC)
    assert hashes.fits(made, NFD)
    assert not hashes.fits(made, NFC.upper())
    assert not hashes.is_old(made)


@pytest.mark.parametrize("kind", [b"2a", b"2b", b"2y"])
def test_bcrypt_from_elsewhere_fits_and_is_old(kind: bytes) -> None:
    made = with_bcrypt(NFD.encode(), kind)
    assert hashes.is_known(made)
    assert hashes.is_old(made)
    assert hashes.fits(made, NFD)  # as it was sent to whoever made the hash
    assert hashes.fits(with_bcrypt(NFC.encode(), kind), NFD)
    assert not hashes.fits(made, "another")


def test_bcrypt_reads_72_bytes_and_what_is_behind_them_never_counted() -> None:
    made = with_bcrypt(b"x" * 100)
    assert hashes.fits(made, "x" * 256)
    assert not hashes.fits(made, "x" * 71)
    cut = "é" * 35 + "xxé"  # the cut is in the middle of a character
    assert hashes.fits(with_bcrypt(cut.encode()), cut)


def test_what_cannot_be_hashed_fits_nothing() -> None:
    for made in (hashes.make("a"), with_bcrypt(b"a")):
        assert not hashes.fits(made, "a\0")
        assert not hashes.fits(made, "\ud800")
        assert not hashes.fits(made, "")


@pytest.mark.parametrize(
    "made",
    [
        "",
        "plain text",
        "5f4dcc3b5aa765d61d8327deb882cf99",
        with_bcrypt(b"a").replace("$04$", "$15$"),
        with_bcrypt(b"a").replace("$04$", "$03$"),
        with_bcrypt(b"a").replace("$2b$", "$2x$"),
        with_bcrypt(b"a")[:-1],
        with_bcrypt(b"a") + "\n",
        argon2.PasswordHasher(type=argon2.Type.I, memory_cost=1024).hash("a"),
        argon2.PasswordHasher(type=argon2.Type.D, memory_cost=1024).hash("a"),
        "$argon2id$v=19$m=999999,t=3,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
        "$argon2id$v=19$m=65536,t=99,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
        "$6$salt$hash",
        "{SSHA}abc",
    ],
    ids=lambda made: made.partition("$")[2][:4] or made[:9],
)
def test_hashes_of_unknown_kinds_or_at_a_price_beyond_reason_are_not_known_and_fit_nothing(made: str) -> None:
    assert not hashes.is_known(made)


def test_hashes_of_argon2id_at_another_price_are_known_and_old() -> None:
    made = argon2.PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash("a")
    assert hashes.is_known(made)
    assert hashes.fits(made, "a")
    assert hashes.is_old(made)
