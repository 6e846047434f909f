"""What becomes of a request next, told to operators."""

from typing import Final

from app.contexts.mint.domain.request import REUSED, RequestStatus

_OF_FAILURES: Final = {
    REUSED: "the adapter knows the request id with another address or amount: find out who asked the adapter for it",
    "OTHER_CONTENT": "somebody minted other content under this request id: see who has the key, and the runbook",
    "REVERTED": "the contract refused it: see whether the key is still its minter, and what the contract says",
}
_OF_OTHER_FAILURES: Final = "the adapter refused it: see its reason"
_ASKED_AGAIN: Final = "; rewards take it back, and ask again under another request id"


def next_of(status: RequestStatus, reason: str | None) -> str | None:
    """What comes next, and who can do something for it; None where it is over."""
    match status:
        case RequestStatus.REQUESTED:
            return "the adapter is asked for it, again and again until it answers; see `strongbox status` for the chain"
        case RequestStatus.SUBMITTED:
            return "it waits for the chain: its transactions say for what"
        case RequestStatus.FAILED:
            return _OF_FAILURES.get(reason or "", _OF_OTHER_FAILURES) + _ASKED_AGAIN
        case RequestStatus.MINTED:
            return None
