"""Signatures by keys: what wallets make is taken, and of all else that would recover the same key nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.contexts.identity.adapters.ethereum.keys import WalletKeys
from app.contexts.identity.domain.wallet_signature import (
    MOST_BYTES,
    NotASignature,
    by_a_key,
    digest_of,
    signature_of,
)
from tests.identity.wallets import Wallet, message_text

KEYS = WalletKeys()
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def signer(text: str, signed: str) -> str | None:
    """Whose key made the signature of the text."""
    made = by_a_key(signature_of(signed))
    return None if made is None else KEYS.address(digest_of(text, KEYS.keccak), *made)


@given(st.integers(1, ORDER - 1), st.text(st.characters(codec="utf-8")))
def test_what_a_wallet_signs_is_known_for_its_own(number: int, text: str) -> None:
    wallet = Wallet(number)
    assert signer(text, wallet.sign(text)) == wallet.address


def test_upper_case_digits_are_digits() -> None:
    text = message_text()
    assert signer(text, "0x" + Wallet().sign(text)[2:].upper()) == Wallet().address


def test_another_text_by_a_single_blank_was_signed_by_somebody_else() -> None:
    text = message_text(statement="I agree.")
    assert signer(text.replace("agree.", "agree. "), Wallet().sign(text)) != Wallet().address


@pytest.mark.parametrize("v", [*range(27), *range(29, 38), 255])
def test_v_is_27_or_28(v: int) -> None:
    signed = bytes.fromhex(Wallet().sign("a")[2:])
    assert by_a_key(signed[:64] + bytes([v])) is None


def test_of_the_two_s_that_fit_only_the_lower_is_taken() -> None:
    signed = bytes.fromhex(Wallet().sign("a")[2:])
    s = int.from_bytes(signed[32:64], "big")
    other = signed[:32] + (ORDER - s).to_bytes(32, "big") + bytes([55 - signed[64]])
    assert by_a_key(signed) is not None
    assert by_a_key(other) is None


@pytest.mark.parametrize(
    ("r", "s"), [(0, 1), (1, 0), (ORDER, 1), (2**256 - 1, 1), (1, ORDER), (1, ORDER // 2 + 1), (1, 2**256 - 1)]
)
def test_r_and_s_are_within_the_group(r: int, s: int) -> None:
    assert by_a_key(r.to_bytes(32, "big") + s.to_bytes(32, "big") + b"\x1b") is None


@given(st.binary(min_size=64, max_size=64), st.sampled_from([0, 1]))
def test_no_bytes_whatever_are_more_than_nobodys_signature(r_and_s: bytes, point: int) -> None:
    assert KEYS.address(bytes(32), r_and_s, point) != Wallet().address


@pytest.mark.parametrize("length", [0, 1, 64, 66, 130])
def test_a_key_makes_65_bytes(length: int) -> None:
    assert by_a_key(b"\x1b" * length) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "00" * 65,
        "0X" + "00" * 65,
        "0x0",
        "0x" + "0" * 129,
        "0xzz",
        "0x 00",
        "0x00\n",
        " 0x00",
        "0x\uff10\uff10",
    ],
)
def test_what_is_not_0x_and_whole_bytes_is_no_signature(text: str) -> None:
    with pytest.raises(NotASignature, match="hexadecimal"):
        signature_of(text)


def test_a_contracts_may_be_empty_or_long_but_not_longer_than_4_kib() -> None:
    assert signature_of("0x") == b""
    assert len(signature_of("0x" + "ab" * MOST_BYTES)) == 4096
    with pytest.raises(NotASignature, match="4096"):
        signature_of("0x" + "ab" * (MOST_BYTES + 1))
