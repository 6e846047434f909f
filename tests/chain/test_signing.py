"""Transactions are signed as another library signs them, and keys are read with care."""

from pathlib import Path
from uuid import uuid4

import pytest
from coincurve import PrivateKey
from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes
from hypothesis import given
from hypothesis import strategies as st

from app.contexts.chain.adapters.evm.addresses import address
from app.contexts.chain.adapters.evm.contract import minting
from app.contexts.chain.adapters.evm.key_file import key_in
from app.contexts.chain.adapters.evm.minter import Minter
from app.contexts.chain.adapters.evm.transactions import address_of, made_by, signed
from app.contexts.chain.domain.fees import Fees
from app.platform.eip55 import checksummed
from app.platform.process.settings import InvalidSettings
from tests.chain.adapter import order

KEY = PrivateKey(bytes(31) + b"\x07")
CONTRACT = "0x" + "c0" * 20
NUMBERS = st.integers(0, 2**64 - 1)


@given(
    secret=st.integers(1, 2**255), chain_id=st.integers(1, 2**40), nonce=NUMBERS, most=NUMBERS, tip=NUMBERS,
    gas=NUMBERS, data=st.binary(max_size=300), makes=st.booleans(),
)  # fmt: skip
def test_the_bytes_are_those_of_another_library(
    secret: int, chain_id: int, nonce: int, most: int, tip: int, gas: int, data: bytes, makes: bool
) -> None:
    key = PrivateKey(secret.to_bytes(32, "big"))
    ours = signed(key, chain_id, nonce, Fees(most, tip), gas, None if makes else CONTRACT, "0x" + data.hex())
    fields = {
        "type": 2, "chainId": chain_id, "nonce": nonce, "maxFeePerGas": most, "maxPriorityFeePerGas": tip, "gas": gas,
        "value": 0, "data": data, "to": b"" if makes else bytes.fromhex(CONTRACT[2:]),
    }  # fmt: skip
    theirs = Account.sign_transaction(fields, secret.to_bytes(32, "big"))
    assert ours.raw == bytes(theirs.raw_transaction)
    assert ours.tx_hash == "0x" + bytes(theirs.hash).hex()
    assert ours.sender == Account.from_key(secret.to_bytes(32, "big")).address.lower()


def test_nothing_is_signed_for_no_chain() -> None:
    with pytest.raises(ValueError, match="one chain"):
        signed(KEY, 0, 0, Fees(1, 1), 1, CONTRACT, "0x")


def test_a_mint_calls_the_contract_with_its_request_address_and_amount() -> None:
    asked = order(2**256 - 1)
    raw = Minter(KEY, 5, CONTRACT).sign(asked, 3, Fees(9, 2), 100).raw
    found = TypedTransaction.from_bytes(HexBytes(raw)).as_dict()
    assert (found["chainId"], found["nonce"], found["gas"], found["value"]) == (5, 3, 100, 0)
    assert "0x" + bytes(found["data"]).hex() == minting(asked.request_id, asked.to, asked.amount)
    assert "0x" + bytes(found["to"]).hex() == CONTRACT


def test_where_a_contract_will_be_is_known_before_it_is_made() -> None:
    # Of the yellow paper's rule: the address and nonces of a well-known example.
    sender = "0x6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0"
    assert made_by(sender, 0) == "0xcd234a471b72ba2f1ccf0a70fcaba648a5eecd8d"
    assert made_by(sender, 1) == "0x343c43a37d37dff08ae8c4a11544c718abb4fcf8"


@pytest.mark.parametrize("content", ["{key}", "{key}\n", "0x{key}\n", "  {key}\r\n"])
def test_a_key_is_read_from_a_file_that_only_its_owner_may_read(tmp_path: Path, content: str) -> None:
    file = key_file(tmp_path, content.format(key=KEY.secret.hex()))
    assert address_of(key_in(file)) == address_of(KEY)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620])
def test_a_file_that_others_may_read_is_refused_and_nothing_of_it_is_told(tmp_path: Path, mode: int) -> None:
    file = key_file(tmp_path, KEY.secret.hex())
    file.chmod(mode)
    with pytest.raises(InvalidSettings, match=f"CHAIN_KEY_FILE: others may read {file}") as refused:
        key_in(file)
    assert KEY.secret.hex()[-8:] not in str(refused.value)


@pytest.mark.parametrize("content", ["", "ab" * 31, "ab" * 33, "zz" * 32, "00" * 32, "ff" * 32, "ab" * 32 + " more"])
def test_what_is_no_key_is_refused_and_not_quoted(tmp_path: Path, content: str) -> None:
    with pytest.raises(InvalidSettings, match="holds no key") as refused:
        key_in(key_file(tmp_path, content))
    assert not content or content not in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match=r"CHAIN_KEY_FILE: .*nowhere cannot be read: No such file"):
        key_in(tmp_path / "nowhere")


def test_a_key_shows_its_address_alone() -> None:
    shown = repr(Minter(KEY, 1, CONTRACT))
    assert KEY.secret.hex() not in shown
    assert address_of(KEY) in shown


def key_file(folder: Path, content: str) -> Path:
    file = folder / "key"
    file.touch(0o600)
    file.write_text(content)
    return file


MIXED = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"


@pytest.mark.parametrize("spelled", [MIXED, MIXED.lower(), "0x" + MIXED[2:].upper()])
def test_an_address_is_read_in_one_case_or_in_that_of_eip_55(spelled: str) -> None:
    assert address(spelled) == MIXED.lower()
    assert checksummed(spelled) == MIXED


@pytest.mark.parametrize(
    ("spelled", "why"),
    [
        ("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1Beaed", "EIP-55"),
        ("0x" + "0" * 40, "zero"),
        ("5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "no address"),
        (MIXED + "0", "no address"),
        (MIXED[:-1], "no address"),
        (MIXED + "\n", "no address"),
        ("0X" + MIXED[2:].upper(), "no address"),
        ("0x" + "٣" * 40, "no address"),
    ],
)
def test_an_address_that_is_none_is_refused(spelled: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        address(spelled)


def test_another_request_is_another_call() -> None:
    assert minting(uuid4(), CONTRACT, 1) != minting(uuid4(), CONTRACT, 1)
