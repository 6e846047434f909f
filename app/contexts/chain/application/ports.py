"""What the use cases need of the node, of the key, and of what is kept."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import Protocol
from uuid import UUID

from app.contexts.chain.domain.fees import Fees, Market
from app.contexts.chain.domain.mint import Mint, MintOrder
from app.contexts.chain.domain.transactions import Change, Minted, OpenMint, Receipt, Signed


@dataclass(frozen=True, slots=True)
class Contract:
    """The contract that is minted on. None of its events is in a block before the first; of those up to the settled one
    all that they say is noted."""

    chain_id: int
    address: str
    first_block: int
    settled_block: int


@dataclass(frozen=True, slots=True)
class Terms:
    """What a transaction of the key is signed by now: the node knows of nonces below `floor`, whoever spent them."""

    floor: int
    market: Market
    gas: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a mint is, and its transaction as long as no node is known to have taken it."""

    mint: Mint
    unsent: Signed | None


class Why(StrEnum):
    """Why a mint is signed again with another nonce."""

    STRANGER = "stranger"
    """Somebody else has spent its own."""
    ROTATED = "rotated"
    """It was signed with a key that is not ours, and gets nowhere."""


class Sent(Enum):
    """What became of sending a transaction."""

    TAKEN = auto()
    """The node has it, or had it before."""
    OUTBID = auto()
    """The node wants higher fees for it."""
    NOT_TAKEN = auto()
    """It said no for another reason, or nobody knows."""


@dataclass(frozen=True, slots=True)
class Head:
    """The newest block, what the next one asks for, and how many nonces of each key are spent up to it."""

    block: int
    block_hash: str
    age_s: float
    market: Market
    spent: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Deployment:
    """The contract as it is kept, and the transaction that makes it, where that is ours."""

    contract: Contract
    signed: Signed | None


@dataclass(frozen=True, slots=True)
class Backlog:
    """The mints that are not final: how many, the oldest, and how many are in no block though they should be. And how
    many failed as the chain has something else for them."""

    open: int
    oldest_s: float
    stuck: int
    other_content: int


class Key(Protocol):
    """The key that mints."""

    @property
    def address(self) -> str:
        """Its address, in lower case."""
        ...

    def sign(self, order: MintOrder, nonce: int, fees: Fees, gas: int) -> Signed:
        """The transaction that mints."""
        ...

    def sign_nothing(self, nonce: int, fees: Fees, gas: int) -> Signed:
        """One that does nothing but spend the nonce."""
        ...


class Sending(Protocol):
    """A node, as what sends sees it."""

    async def terms(self, sender: str) -> Terms:
        """What to sign by.

        Raises:
            ChainAway: the node does not answer, or its chain or contract is not the one of our settings, or the
                contract lets the key mint nothing.
        """
        ...

    async def send(self, transactions: Sequence[bytes]) -> Sequence[Sent]:
        """Send them in order. An answer that is lost is none: NOT_TAKEN. It raises nothing."""
        ...


class Watching(Protocol):
    """A node, as what follows the chain sees it. All of it raises ChainAway when there is no answer."""

    async def head(self, senders: Sequence[str]) -> Head:
        """The newest block."""
        ...

    async def minted(self, first: int, last: int, head: Head) -> Sequence[Minted] | None:
        """The events of the blocks from the first to the last; None if the head is no longer the chain's."""
        ...

    async def receipts(self, hashes: Sequence[str]) -> Mapping[str, Receipt]:
        """Those of the transactions that are in a block."""
        ...

    async def minted_for(self, requests: Sequence[UUID], first: int, last: int) -> Sequence[Minted]:
        """The events of these requests, wherever in the blocks they are."""
        ...


class Books(Protocol):
    """What was signed, as the signing of new mints sees it."""

    async def known(self, requests: Sequence[UUID]) -> Mapping[UUID, Standing]:
        """How far those are that there are."""
        ...

    async def sign(
        self, sender: str, floor: int, orders: Sequence[MintOrder], sign: Callable[[MintOrder, int], Signed]
    ) -> Mapping[UUID, Standing]:
        """Have each that is not known signed with the key's next nonce, and commit all of it; how far all are.

        Raises:
            ChainAway: what is kept is of another chain or contract, or of none: nothing was signed.
        """
        ...


class Kept(Protocol):
    """What was signed and is not final, as the follower sees it."""

    async def contract(self) -> tuple[Contract, Sequence[str]]:
        """The contract, and the keys of the mints that are not final.

        Raises:
            ChainAway: there is none yet, or another than ours.
        """
        ...

    async def open(self, requests: Sequence[UUID]) -> Sequence[OpenMint]:
        """Of the mints that are not final those of the requests, all that are mined, and as many others with the lowest
        nonces as fit into memory; in the order of nonces."""
        ...

    async def note(self, changes: Sequence[Change], settled: int) -> None:
        """Note them, and up to which block all that events say is noted. What is final stays as it is."""
        ...


class Mending(Protocol):
    """What was signed, as what signs it once more sees it. All goes by the mint's last transaction: where that is
    another meanwhile nothing is done."""

    async def replace(self, mint: OpenMint, by: Signed) -> bool:
        """Put one with higher fees in its place; whether it was done."""
        ...

    async def sign_again(
        self, mint: OpenMint, why: Why, sender: str, floor: int, sign: Callable[[int], Signed]
    ) -> Signed | None:
        """Have it signed with the next nonce of our key."""
        ...


class Deployments(Protocol):
    """The contract, as what deploys it sees it."""

    async def kept(self) -> Deployment | None:
        """What is kept."""
        ...

    async def adopt(self, contract: Contract) -> None:
        """Keep one that is there, unless one is kept."""
        ...

    async def sign(
        self, sender: str, floor: int, old: Deployment | None, sign: Callable[[int], Deployment]
    ) -> Deployment:
        """Have it signed with the key's next nonce, and kept in the place of the old one; what is kept in the end."""
        ...

    async def replace(self, old: Deployment, by: Signed) -> None:
        """Keep one with the same nonce and higher fees in the place of the old one."""
        ...


class Deploying(Protocol):
    """A node, as what deploys sees it. All of it raises ChainAway when there is no answer."""

    async def look(self, sender: str) -> Head:
        """The newest block, and how many of the key's nonces are spent.

        Raises:
            ChainAway: its chain is not CHAIN_ID.
        """
        ...

    async def are_ours(self, addresses: Sequence[str], minter: str | None) -> Sequence[bool]:
        """At which addresses there is a contract like ours: one that the minter mints on, where it is said who."""
        ...

    async def gas(self, sender: str, data: str, fee: int) -> int:
        """What it takes to make the contract with the data; a unit of it costs the fee at the most.

        Raises:
            CannotDeploy: the node says that it cannot be made, or the sender cannot pay for it.
        """
        ...

    async def send(self, transactions: Sequence[bytes]) -> Sequence[Sent]:
        """See `Sending.send`."""
        ...
