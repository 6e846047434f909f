"""What funds bring to the console: users' wallets, their statements, and what happened to a transfer and to a hold."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from app.contexts.funds.adapters.console.statements import statements
from app.contexts.funds.adapters.console.stories import stories
from app.contexts.funds.adapters.console.wallets import wallets
from app.contexts.funds.application.past import LookBack
from app.contexts.funds.application.read_holds import HoldReader
from app.contexts.funds.application.reconcile import Standings
from app.contexts.funds.application.statement import Statements
from app.contexts.funds.application.stories import StoryNotFound, TellStories
from app.contexts.funds.application.wallet_reader import WalletReader
from app.contexts.funds.domain.refusals import UserNotFound
from app.platform.console.page import Page

TEMPLATES = Path(__file__).with_name("templates")


def pages(
    reader: WalletReader, holds: HoldReader, reconciled: Standings, tell: TellStories, look_back: LookBack,
    made: Statements,
) -> Sequence[Page]:  # fmt: skip
    """The pages. `reconciled` are wallets beside what their entries say; statements are `made`."""
    return (
        Page(partial(wallets, reader, holds, reconciled), "/wallets", "Wallets", 20, TEMPLATES, (UserNotFound,)),
        Page(partial(statements, reader, look_back, made), templates=TEMPLATES, not_found=(UserNotFound,)),
        Page(partial(stories, tell), templates=TEMPLATES, not_found=(StoryNotFound,), knows=tell.records.place_of),
    )
