"""What follows for a mint from what the chain tells, and what a replacement offers."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.contexts.chain.domain.fees import Fees, Market, are_outbid, fees_for, raised
from app.contexts.chain.domain.following import of_event, of_receipts, without_event
from app.contexts.chain.domain.mint import MintStatus
from app.contexts.chain.domain.transactions import Change, Landing, Minted, OpenMint, Receipt, Signed
from tests.chain.adapter import order

ORDER = order()
SIGNED = Signed("0x" + "aa" * 20, 7, b"raw", "0x" + "01" * 32, Fees(10, 1))
HERE = Landing(SIGNED.tx_hash, 100)
MINT = OpenMint(ORDER, MintStatus.BROADCAST, SIGNED, (), None, 1.0, 1.0)
MINED = replace(MINT, status=MintStatus.MINED, landing=HERE)


def change(status: MintStatus, landing: Landing | None = HERE, failure: str | None = None) -> Change:
    return Change(ORDER.request_id, status, landing, failure)


@pytest.mark.parametrize("deep", [100, 101, 1_000])
def test_an_event_that_lies_deep_confirms_with_its_hash_whoever_made_it(deep: int) -> None:
    theirs = Landing("0x" + "99" * 32, 100)
    assert of_event(MINT, Minted(ORDER, theirs), deep) == change(MintStatus.CONFIRMED, theirs)
    assert of_event(MINED, Minted(ORDER, HERE), deep) == change(MintStatus.CONFIRMED)


def test_an_event_that_does_not_is_mined_and_told_once() -> None:
    assert of_event(MINT, Minted(ORDER, HERE), 99) == change(MintStatus.MINED)
    assert of_event(MINED, Minted(ORDER, HERE), 99) is None
    elsewhere = Landing(SIGNED.tx_hash, 101)
    assert of_event(MINED, Minted(ORDER, elsewhere), 99) == change(MintStatus.MINED, elsewhere)


@pytest.mark.parametrize("other", [replace(ORDER, amount=999), replace(ORDER, to="0x" + "77" * 20)], ids=["more", "to"])
def test_another_content_fails_once_it_lies_deep(other: object) -> None:
    event = Minted(other, HERE)  # type: ignore[arg-type]
    assert of_event(MINT, event, 99) == change(MintStatus.MINED)
    assert of_event(MINT, event, 100) == change(MintStatus.FAILED, failure="OTHER_CONTENT")


def test_what_was_mined_and_has_neither_event_nor_nonce_was_taken_back() -> None:
    assert without_event(MINED, 7) == change(MintStatus.BROADCAST, None)
    assert without_event(MINED, 8) is None  # its nonce is spent: it is looked for
    assert without_event(MINT, 7) is None


def test_a_refusal_fails_as_deep_as_an_event_confirms_and_not_before() -> None:
    refused = Receipt(HERE, succeeded=False)
    assert of_receipts(MINT, [refused], 99) == change(MintStatus.MINED)
    assert of_receipts(MINED, [refused], 99) is None
    assert of_receipts(MINED, [refused], 100) == change(MintStatus.FAILED, failure="REVERTED")
    assert of_receipts(MINT, [Receipt(HERE, succeeded=True)], 1_000) is None
    assert of_receipts(MINT, [], 1_000) is None


FEES = st.integers(0, 2**100)


@given(most=FEES, tip=FEES, base=FEES, wanted=FEES)
def test_a_replacement_is_taken_by_any_node_and_has_its_place_in_the_next_block(
    most: int, tip: int, base: int, wanted: int
) -> None:
    old, market = Fees(max(most, tip), tip), Market(base, wanted)
    new = raised(old, market)
    assert new.most * 10 >= old.most * 11
    assert new.tip * 10 >= old.tip * 11
    assert new.tip <= new.most
    assert not are_outbid(new, market)


def test_fees_last_while_the_base_fee_doubles() -> None:
    fees = fees_for(Market(100, 3))
    assert not are_outbid(fees, Market(200, 3))
    assert are_outbid(fees, Market(201, 3))
    assert are_outbid(fees, Market(1, 4))
