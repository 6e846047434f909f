"""What ordering brings to the console: the orders of tenants, and what happened to one."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from app.contexts.ordering.adapters.console.orders import orders, page_of_an_order
from app.contexts.ordering.application.ports import Orders
from app.contexts.ordering.application.tell_order import OrderUnknown, TellOrder
from app.platform.console.page import Page
from app.platform.tenants import KnownTenants, TenantUnknown

TEMPLATES = Path(__file__).with_name("templates")


def pages(read: Orders, tenants: KnownTenants, tell: TellOrder) -> Sequence[Page]:
    """The pages."""
    shown = partial(orders, read, tenants, tell)
    known = partial(page_of_an_order, read, tenants)
    return (Page(shown, "/orders", "Orders", 26, TEMPLATES, (OrderUnknown, TenantUnknown), known),)
