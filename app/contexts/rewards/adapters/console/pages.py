"""What rewards bring to the console: the rules of tenants, somebody's cashback, and its story."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from app.contexts.rewards.adapters.console.cashback import cashback
from app.contexts.rewards.application.ports import Rules
from app.contexts.rewards.application.tell_cashback import AccountUnknown, TellCashback
from app.platform.console.page import Page
from app.platform.tenants import KnownTenants, TenantUnknown

TEMPLATES = Path(__file__).with_name("templates")


def pages(rules: Rules, tenants: KnownTenants, tell: TellCashback) -> Sequence[Page]:
    """The pages."""
    shown = partial(cashback, rules, tenants, tell)
    return (Page(shown, "/cashback", "Cashback", 28, TEMPLATES, (AccountUnknown, TenantUnknown)),)
