"""What HTTP offers of cashback."""

from collections.abc import Sequence

from app.contexts.rewards.adapters.http.own_cashback import OwnCashback
from app.contexts.rewards.adapters.http.purchases import Purchases
from app.contexts.rewards.adapters.http.rules import CashbackRules
from app.contexts.rewards.container import RewardsContainer
from app.platform.context import Http
from app.platform.http.operations import Operation
from app.platform.process.uuid7 import uuid7


def operations(container: RewardsContainer, http: Http) -> Sequence[Operation]:
    """All of them."""
    assert http.people is not None
    purchases = Purchases(
        buy=container.buy().submit,
        take_back=container.take_back().submit,
        know=container.know(),
        directory=http.people.directory,
        ids=uuid7,
        http=http,
    )
    own = OwnCashback(read=container.read_cashback(), http=http)
    rules = CashbackRules(rules=container.rules(), change=container.change_rules(), http=http)
    return [*purchases.operations(), *own.operations(), *rules.operations()]
