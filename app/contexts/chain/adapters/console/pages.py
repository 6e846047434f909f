"""What the chain brings to the console: node, contract, key and what is under way, and the transactions of a mint."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from app.contexts.chain.adapters.console.chain import NothingSigned, chain, page_of_a_transaction
from app.contexts.chain.settings import ChainSettings
from app.platform.console.page import Page

TEMPLATES = Path(__file__).with_name("templates")


def pages(url: str, settings: ChainSettings) -> Sequence[Page]:
    """The pages, over the database at the URL."""
    shown, known = partial(chain, url, settings), partial(page_of_a_transaction, url)
    return (Page(shown, "/chain", "Chain", 29, TEMPLATES, (NothingSigned,), knows_hex=known),)
