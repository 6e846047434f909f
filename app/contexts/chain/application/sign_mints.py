"""Sign mints: the nonce's row locked, signed, bytes and nonce committed, and only then they are sent by others."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from app.contexts.chain.application.ports import Books, Key, Sending, Standing
from app.contexts.chain.domain.fees import fees_for
from app.contexts.chain.domain.mint import MintOrder
from app.contexts.chain.domain.refusals import ChainAway, RequestReused

Answer = Standing | RequestReused | ChainAway


class SignMints:
    """The use case, for a batch of orders. Those that are known are told from what is kept, whatever the node does."""

    def __init__(self, books: Books, node: Sending, key: Key) -> None:
        self._books = books
        self._node = node
        self._key = key

    async def __call__(self, orders: Sequence[MintOrder]) -> Sequence[Answer]:
        """An answer for each order."""
        known = dict(await self._books.known([order.request_id for order in orders]))
        new = {order.request_id: order for order in orders if order.request_id not in known}
        away: ChainAway | None = None
        if new:
            try:
                known |= await self._sign([*new.values()])
            except ChainAway as error:
                away = error
        return [_answer(order, known.get(order.request_id), away) for order in orders]

    async def _sign(self, orders: Sequence[MintOrder]) -> Mapping[UUID, Standing]:
        key = self._key
        terms = await self._node.terms(key.address)
        fees = fees_for(terms.market)
        return await self._books.sign(
            key.address, terms.floor, orders, lambda order, nonce: key.sign(order, nonce, fees, terms.gas)
        )


def _answer(order: MintOrder, found: Standing | None, away: ChainAway | None) -> Answer:
    if found is None:
        assert away is not None
        return away
    return found if found.mint.order == order else RequestReused()
