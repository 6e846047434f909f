"""What a mint waits for, told to operators."""

from typing import Final

from app.contexts.chain.domain.following import OTHER_CONTENT, REVERTED
from app.contexts.chain.domain.mint import MintStatus

_OF_FAILURES: Final = {
    OTHER_CONTENT: "somebody minted for it what was not asked for: see who has the key, and the runbook",
    REVERTED: "the contract refused it: see whether the key is still its minter, and what the transaction says",
}


def waits_for(
    status: MintStatus, failure: str | None, ahead: int, block: int | None, head: int | None, confirmations: int
) -> str | None:
    """What it waits for, or what is to be done; None where it is confirmed. `ahead` are under way with smaller nonces
    of the same key, `head` is the newest block, if it is known."""
    match status:
        case MintStatus.SIGNED:
            return "for a node that takes it: the adapter sends it again and again; see to the node of EVM_RPC_URL"
        case MintStatus.BROADCAST if ahead:
            return f"for the {ahead} with smaller nonces before it, and then for a block"
        case MintStatus.BROADCAST:
            return "for a block: after CHAIN_STUCK_S it is sent again, or replaced with higher fees"
        case MintStatus.MINED:
            has = "" if head is None or block is None else f": it has {max(head - block + 1, 0)}"
            return f"for {confirmations} confirmations{has}"
        case MintStatus.FAILED:
            return _OF_FAILURES.get(failure or "", "nothing more comes of it: it was refused before it was signed")
        case MintStatus.CONFIRMED:
            return None
