"""What the chain's adapter refuses, and what nobody knows."""

from app.kernel.errors import Unavailable
from app.kernel.refusals import Refusal


class InvalidMint(Refusal):
    """What was asked for can never be minted; the message names the member that is wrong."""

    code = "INVALID_MINT"


class RequestReused(Refusal):
    """The request id is known with another address or amount."""

    code = "REQUEST_REUSED"

    def __str__(self) -> str:
        return "the request id was used with another address or amount"


class CannotDeploy(Refusal):
    """The contract is not made, or another is there; the message says why."""

    code = "CANNOT_DEPLOY"


class ChainAway(Unavailable):
    """The chain cannot be asked for now, and nothing was signed for the request: the same again will do."""


class UnknownAnswer(Unavailable):
    """Nobody knows what became of the call: a mint may have been signed. Ask for it, never guess."""
