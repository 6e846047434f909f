"""What minting brings to the console: the requests for tokens, and what became of one."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from app.contexts.mint.adapters.console.mints import RequestUnknown, mints, page_of_a_request, page_of_an_address
from app.platform.console.page import Page

TEMPLATES = Path(__file__).with_name("templates")


def pages(url: str) -> Sequence[Page]:
    """The pages, over the database at the URL."""
    shown, known = partial(mints, url), partial(page_of_a_request, url)
    return (Page(shown, "/mints", "Mints", 29, TEMPLATES, (RequestUnknown,), known, page_of_an_address),)
