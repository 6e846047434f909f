"""What the catalogue brings to the console: a product's stock, and who has reserved what of it."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from app.contexts.catalog.adapters.console.stock import stock
from app.contexts.catalog.application.look_at_stock import LookAtStock, ProductUnknown
from app.platform.console.page import Page

TEMPLATES = Path(__file__).with_name("templates")


def pages(look: LookAtStock) -> Sequence[Page]:
    """The pages."""
    return [Page(partial(stock, look), "/products", "Products", 14, TEMPLATES, (ProductUnknown,), look.place_of)]
