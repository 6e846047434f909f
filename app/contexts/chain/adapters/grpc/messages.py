"""Messages as values, and back. A message that is no such thing is refused with what is wrong, nothing of it quoted."""

import re
from typing import Final
from uuid import UUID

from app.contexts.chain.adapters.evm.addresses import address
from app.contexts.chain.adapters.grpc import chain_pb2 as pb
from app.contexts.chain.domain.mint import Mint, MintOrder, MintStatus
from app.contexts.chain.domain.refusals import InvalidMint

SERVICE: Final[str] = pb.DESCRIPTOR.services_by_name["Chain"].full_name
WORD: Final = 32
NOTHING_SIGNED: Final = "nothing was signed: the chain cannot be worked with for now"
"""What the adapter says with UNAVAILABLE, as others do, too: this alone means that the same again will do."""
_STATUSES: Final = {
    MintStatus.SIGNED: pb.SIGNED,
    MintStatus.BROADCAST: pb.BROADCAST,
    MintStatus.MINED: pb.MINED,
    MintStatus.CONFIRMED: pb.CONFIRMED,
    MintStatus.FAILED: pb.FAILED,
}
_UUID: Final = re.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def order_of(request: pb.MintTokenRequest) -> MintOrder:
    """What is asked for.

    Raises:
        InvalidMint: a member is wrong; it says which.
    """
    return MintOrder(request_id_of(request.request_id), address_of("to", request.to), _amount(request.amount))


def request_id_of(text: str) -> UUID:
    """A request's id.

    Raises:
        InvalidMint: it is none.
    """
    if not _UUID.fullmatch(text):
        raise InvalidMint("request_id is no UUID")
    return UUID(text)


def address_of(member: str, text: str) -> str:
    """An address, in lower case.

    Raises:
        InvalidMint: it is none.
    """
    try:
        return address(text)
    except ValueError as error:
        raise InvalidMint(f"{member} {error}") from None


def word(amount: int) -> bytes:
    """An amount as it is sent."""
    return amount.to_bytes(WORD, "big")


def status_of(mint: Mint) -> pb.MintStatus:
    """Its status."""
    return _STATUSES[mint.status]


def mint_of(response: pb.GetMintResponse, request_id: UUID) -> Mint:
    """What is answered of a mint.

    Raises:
        ValueError: it is nothing that is known here.
    """
    order = MintOrder(request_id, response.to, int.from_bytes(response.amount, "big"))
    return Mint(order, known_status(response.status), response.tx_hash or None, response.failure or None)


def known_status(status: pb.MintStatus) -> MintStatus:
    """The status.

    Raises:
        ValueError: there is none like it here: the other side is newer.
    """
    return MintStatus(pb.MintStatus.Name(status))


def _amount(content: bytes) -> int:
    if not 1 <= len(content) <= WORD:
        raise InvalidMint("amount has not from 1 to 32 bytes")
    if not (amount := int.from_bytes(content, "big")):
        raise InvalidMint("amount is zero")
    return amount
