"""Find mints: how far they are, by what is kept."""

from collections.abc import Sequence
from uuid import UUID

from app.contexts.chain.application.ports import Books
from app.contexts.chain.domain.mint import Mint


class FindMints:
    """The use case, for a batch: whoever waits for a thousand asks for each of them, again and again."""

    def __init__(self, books: Books) -> None:
        self._books = books

    async def __call__(self, requests: Sequence[UUID]) -> Sequence[Mint | None]:
        """The mint of each request; None where nothing was signed."""
        found = await self._books.known([*dict.fromkeys(requests)])
        return [found[each].mint if each in found else None for each in requests]
