"""Looking back at wallets of the books."""

from collections.abc import Awaitable
from datetime import datetime

from app.contexts.funds.application.past import Question, Told
from app.contexts.funds.application.statement import Statements
from app.contexts.funds.domain.refusals import WalletNotFound
from tests.funds.moving import Books
from tests.patience import in_lanes


def statements(books: Books) -> Statements:
    ask = in_lanes(books.past.stood, lambda question: question.user_id, books.pool)

    def look_back(question: Question, _: float) -> Awaitable[Told | WalletNotFound]:
        return ask(question)

    return Statements(look_back, books.past)


async def now(books: Books) -> datetime:
    ((at,),) = await books.all("SELECT clock_timestamp()")
    assert isinstance(at, datetime)
    return at
