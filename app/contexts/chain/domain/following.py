"""What follows for a mint from what the chain tells. `deep` is the last block that lies as deep as was asked for."""

from collections.abc import Sequence
from typing import Final

from app.contexts.chain.domain.mint import MintStatus
from app.contexts.chain.domain.transactions import Change, Landing, Minted, OpenMint, Receipt

OTHER_CONTENT: Final = "OTHER_CONTENT"
"""Somebody minted for the request id, but not what was asked for."""
REVERTED: Final = "REVERTED"
"""The contract refused it."""
NOT_DEEP: Final = -1
"""In the place of the last block that lies deep: none does."""


def of_event(mint: OpenMint, event: Minted, deep: int) -> Change | None:
    """The event decides, whoever's transaction made it. None if the mint is that far already."""
    landing = event.landing
    if landing.block > deep:
        return _mined(mint, landing)
    if event.order != mint.order:
        return Change(mint.order.request_id, MintStatus.FAILED, landing, OTHER_CONTENT)
    return Change(mint.order.request_id, MintStatus.CONFIRMED, landing)


def without_event(mint: OpenMint, spent: int) -> Change | None:
    """There is no event, and the key's nonces below `spent` are spent: a mint whose own is not was taken back."""
    if mint.status is MintStatus.MINED and mint.signed.nonce >= spent:
        return Change(mint.order.request_id, MintStatus.BROADCAST)
    return None


def of_receipts(mint: OpenMint, receipts: Sequence[Receipt], deep: int) -> Change | None:
    """There is no event, and a transaction of the mint is in a block: the contract refused it. It fails once that lies
    deep; until then a reorganisation may still have it run again, with another end."""
    refused = next((each for each in receipts if not each.succeeded), None)
    if refused is None:
        return None
    landing = refused.landing
    if landing.block > deep:
        return _mined(mint, landing)
    return Change(mint.order.request_id, MintStatus.FAILED, landing, REVERTED)


def _mined(mint: OpenMint, landing: Landing) -> Change | None:
    if mint.status is MintStatus.MINED and mint.landing == landing:
        return None
    return Change(mint.order.request_id, MintStatus.MINED, landing)
