"""Deploy: the contract is made once for a key, however often it is asked for and whatever died in between."""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from app.contexts.chain.application.ports import Contract, Deploying, Deployment, Deployments, Head, Sent
from app.contexts.chain.domain.fees import Fees, are_outbid, fees_for, raised
from app.contexts.chain.domain.refusals import CannotDeploy
from app.contexts.chain.domain.transactions import Signed

EARLIER: Final = 32
"""Nonces of the key, its first ones, by which a contract is looked for that nothing is kept of."""
LOOK_EVERY_S: Final = 0.5
SEND_EVERY_S: Final = 5.0


class DeployKey(Protocol):
    """The key that makes the contract."""

    @property
    def address(self) -> str:
        """Its address, in lower case."""
        ...

    def sign_deployment(self, data: str, nonce: int, fees: Fees, gas: int) -> Signed:
        """The transaction that makes it."""
        ...


class Deploy:
    """The use case."""

    def __init__(
        self, kept: Deployments, node: Deploying, key: DeployKey, made_by: Callable[[str, int], str], chain_id: int
    ) -> None:
        self._kept = kept
        self._node = node
        self._key = key
        self._made_by = made_by
        self._chain_id = chain_id

    async def __call__(self, data: str, given: str | None, within_s: float) -> str:
        """The contract's address, once it is there: the one that is `given`, kept, found, or made with the data.

        Raises:
            CannotDeploy: another is kept than is given, there is none where one is given, the node says that it cannot
                be made, or it was not there in time: the same again goes on.
            ChainAway: the node does not answer, or its chain is another.
        """
        head = await self._node.look(self._key.address)
        kept = await self._kept.kept()
        if kept is None:
            kept = await self._given(given, head) if given else await self._found_or_signed(data, head)
        if kept.contract.chain_id != self._chain_id:
            raise CannotDeploy(f"the tables have a contract of chain {kept.contract.chain_id}, CHAIN_ID is another")
        if given not in (None, kept.contract.address):
            raise CannotDeploy(f"the tables have the contract {kept.contract.address}, CHAIN_CONTRACT is another")
        try:
            async with asyncio.timeout(within_s):
                return await self._there(kept, data)
        except TimeoutError:
            raise CannotDeploy("the contract is not there yet, its transaction is: the same again goes on") from None

    async def _given(self, address: str, head: Head) -> Deployment:
        if not (await self._node.are_ours([address], self._key.address))[0]:
            raise CannotDeploy("there is no such contract at CHAIN_CONTRACT, or our key may not mint on it")
        return await self._adopt(address, head)

    async def _found_or_signed(self, data: str, head: Head) -> Deployment:
        sender = self._key.address
        nonces = range(min(head.spent[sender], EARLIER))
        addresses = [self._made_by(sender, nonce) for nonce in nonces]
        are_ours = await self._node.are_ours(addresses, sender) if addresses else ()
        for address, is_ours in zip(addresses, are_ours, strict=True):
            if is_ours:
                return await self._adopt(address, head)
        return await self._sign(data, head, None)

    async def _adopt(self, address: str, head: Head) -> Deployment:
        # Where it begins nobody says; what is searched for is searched for from the first block on.
        await self._kept.adopt(Contract(self._chain_id, address, 0, head.block))
        kept = await self._kept.kept()
        assert kept is not None
        return kept

    async def _sign(self, data: str, head: Head, old: Deployment | None) -> Deployment:
        sender = self._key.address
        fees = fees_for(head.market)
        gas = await self._node.gas(sender, data, fees.most)

        def sign(nonce: int) -> Deployment:
            contract = Contract(self._chain_id, self._made_by(sender, nonce), head.block, head.block)
            return Deployment(contract, self._key.sign_deployment(data, nonce, fees, gas))

        return await self._kept.sign(sender, head.spent[sender], old, sign)

    async def _there(self, kept: Deployment, data: str) -> str:
        """The address, once the contract is there. Its transaction is sent until it is, with higher fees if it takes
        them; where somebody else spent its nonce another one is signed."""
        sent_at = -SEND_EVERY_S
        loop = asyncio.get_running_loop()
        while True:
            head = await self._node.look(self._key.address)
            if (await self._node.are_ours([kept.contract.address], None))[0]:
                return kept.contract.address
            signed = kept.signed
            if signed is None or signed.sender != self._key.address:
                raise CannotDeploy("the contract that the tables have is not there, and is none of this key's")
            if signed.nonce < head.spent[signed.sender]:
                kept = await self._sign(data, head, kept)
                sent_at = -SEND_EVERY_S
            elif loop.time() - sent_at >= SEND_EVERY_S:
                sent_at = loop.time()
                (sent,) = await self._node.send([signed.raw])
                if sent is Sent.OUTBID or are_outbid(signed.fees, head.market):
                    kept = await self._offer_more(kept, signed, data, head)
                elif sent is Sent.NOT_TAKEN:
                    await self._node.gas(signed.sender, data, signed.fees.most)
            await asyncio.sleep(LOOK_EVERY_S)

    async def _offer_more(self, kept: Deployment, old: Signed, data: str, head: Head) -> Deployment:
        fees = raised(old.fees, head.market)
        gas = await self._node.gas(old.sender, data, fees.most)
        by = self._key.sign_deployment(data, old.nonce, fees, gas)
        await self._kept.replace(kept, by)
        await self._node.send([by.raw])
        return Deployment(kept.contract, by)
