"""The nonces of keys: whoever gives one out holds its row, until what is signed with it is committed."""

from typing import Final

from app.contexts.chain.domain.refusals import ChainAway
from app.platform.postgres.pipeline import Call, Row, Statement

# A key that was never used here begins where the node says it is.
_BEGIN: Final = Statement("""
    INSERT INTO chain.wallet_nonces (address, first_nonce, next_nonce) VALUES (%b::text, %b::bigint, %b::bigint)
    ON CONFLICT (address) DO NOTHING
""")
_LOCK: Final = Statement("SELECT next_nonce FROM chain.wallet_nonces WHERE address = %b::text FOR UPDATE")
_CONTRACT: Final = Statement("SELECT chain_id, address FROM chain.contracts")
_MOVE_ON: Final = Statement("UPDATE chain.wallet_nonces SET next_nonce = %b::bigint WHERE address = %b::text")
_FOREIGN: Final = Statement("""
    INSERT INTO chain.foreign_nonces (address, first_nonce, last_nonce) VALUES (%b::text, %b::bigint, %b::bigint)
""")


def locking(sender: str, floor: int) -> list[Call]:
    """The statements that lock the row; the last but one tells the nonce, the last the contract."""
    return [(_BEGIN, (sender, floor, floor)), (_LOCK, (sender,)), (_CONTRACT, ())]


def see_contract(rows: list[Row], chain_id: int, contract: str) -> None:
    """See whether what is kept is of our chain and our contract.

    Raises:
        ChainAway: it is not.
    """
    if rows != [(chain_id, contract)]:
        raise ChainAway("what is kept is of another chain or another contract" if rows else "there is no contract yet")


def given_out(sender: str, kept: int, floor: int, count: int) -> tuple[int, list[Call]]:
    """The first of `count` nonces, and the statements that note that they are given out. Those below `floor` which
    are not ours were spent by somebody else."""
    first = max(kept, floor)
    calls: list[Call] = [(_MOVE_ON, (first + count, sender))]
    if first > kept:
        calls.append((_FOREIGN, (sender, kept, first - 1)))
    return first, calls
