"""See whether somebody holds a wallet: by a message of now, for us, that was not shown before, and its signature."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from app.contexts.identity.application.wallet_domains import WalletDomains
from app.contexts.identity.domain.instants import MICROSECONDS
from app.contexts.identity.domain.refusals import Unfit
from app.contexts.identity.domain.siwe import NotAMessage, parse
from app.contexts.identity.domain.wallet_proof import Reason, Terms, WalletNotProved, check
from app.contexts.identity.domain.wallet_signature import NotASignature, by_a_key, digest_of, signature_of
from app.kernel.principal import TenantId


class Nonces(Protocol):
    """Nonces, each good once."""

    async def spend(self, tenant_id: TenantId, nonce: str) -> datetime | None:
        """Spend the nonce, whatever follows: the time now if it was good, None if it was not.

        Raises:
            Unavailable: it cannot be known now.
        """
        ...


class Keys(Protocol):
    """Knows whose key made a signature."""

    def keccak(self, content: bytes) -> bytes:
        """Keccak-256."""
        ...

    def spelled(self, address: str) -> str:
        """The address, as EIP-55 spells it."""
        ...

    def address(self, digest: bytes, r_and_s: bytes, point: int) -> str | None:
        """The address, in its EIP-55 spelling, of the one key that can have signed this; None if there is none."""
        ...


class Contracts(Protocol):
    """Asks the contract that an account may be."""

    async def accept(self, chain_id: str, address: str, digest: bytes, signature: bytes) -> bool:
        """Whether the address is a contract on that chain that takes the signature for its own (ERC-1271).

        Raises:
            Unavailable: the chain is out of reach.
        """
        ...


class ProveWallet:
    """Sees whether somebody holds a wallet."""

    def __init__(
        self,
        nonces: Nonces,
        domains: WalletDomains,
        keys: Keys,
        contracts: Contracts,
        chain_ids: Sequence[str],
        nonce_ttl_s: float,
    ) -> None:
        self._nonces = nonces
        self._domains = domains
        self._keys = keys
        self._contracts = contracts
        self._chain_ids = chain_ids
        self._nonce_ttl_s = nonce_ttl_s

    async def __call__(self, tenant_id: TenantId, message: str, signature: str) -> str:
        """The address, in its EIP-55 spelling, that whoever sends this message and signature holds.

        Raises:
            Unfit: it is none; nothing is spent.
            WalletNotProved: it proves nothing; its nonce is spent.
            Unavailable: it cannot be known now. The nonce may be spent.
        """
        try:
            proof = signature_of(signature)
            said = parse(message, self._keys.spelled)
        except NotASignature as error:
            raise Unfit("signature", str(error)) from None
        except NotAMessage as error:
            raise Unfit("message", str(error)) from None
        now = await self._nonces.spend(tenant_id, said.nonce)
        if now is None:
            raise WalletNotProved(Reason.NONCE)
        terms = Terms(await self._domains.of(tenant_id), self._chain_ids, self._nonce_ttl_s)
        check(said, terms, int(now.timestamp() * MICROSECONDS))
        digest = digest_of(message, self._keys.keccak)
        by_key = by_a_key(proof)
        if by_key is not None and self._keys.address(digest, *by_key) == said.address:
            return said.address
        if await self._contracts.accept(said.chain_id, said.address, digest, proof):
            return said.address
        raise WalletNotProved(Reason.SIGNATURE)
