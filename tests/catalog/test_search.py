"""Searching products: what is found, in which order, and by which lexemes it is looked up."""

from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from app.contexts.catalog.adapters.postgres.search_queries import cover, lexemes, read
from app.main.local.roles import Urls
from tests.catalog.shop import Shop

SEARCHES = [
    "bicycle", "red bicycle", '"red bicycle"', "red or blue", "-red", "bicycle -red", '-"red bicycle"', "red or -blue",
    '"red bicycle" or "blue tandem" -old', "well-known", "it's", "o'clock \\ 'quoted'", "the", "", "a or the", "- - -",
    "1.5 e-mail@example.org https://example.org/a?b=c", '"', '"unclosed phrase', "or", "red or",
    "\u00fcber \u65e5\u672c",
    "red <-> bicycle & !blue | (x)", "not-a-word --x", "post-office-box or (semi-detached)",
]  # fmt: skip
DOCUMENTS = [
    "a red bicycle", "bicycle, red", "a blue tandem", "an old blue tandem bicycle", "it's well-known", "o'clock quoted",
    "1.5 e-mail@example.org https://example.org/a?b=c", "\u00fcber \u65e5\u672c", "post-office-box",
    "semi-detached", "x",
]  # fmt: skip


async def found(shop: Shop, text: str, more: str = "") -> list[str]:
    answer = await shop.get(f"/v1/products?q={quote(text)}{more}")
    assert answer.status_code == 200, answer.text
    return [product["title"] for product in answer.json()["products"]]


async def test_what_fits_best_comes_first_and_a_title_counts_for_more(shop: Shop) -> None:
    await shop.product(title="A tandem", description="like a bicycle, " * 20)
    await shop.product(title="A bicycle", description="with a basket")
    await shop.product(title="A bicycle pump")
    await shop.product(title="A lamp", description="for a bicycle")
    await shop.product(title="A chair")
    assert await found(shop, "bicycles") == ["A bicycle pump", "A bicycle", "A tandem", "A lamp"]
    assert await found(shop, "bicycle", "&sort=newest") == ["A lamp", "A bicycle pump", "A bicycle", "A tandem"]
    assert await found(shop, "bicycle basket") == ["A bicycle"]
    assert await found(shop, '"bicycle pump"') == ["A bicycle pump"]
    assert await found(shop, "bicycle -pump -tandem") == ["A bicycle", "A lamp"]
    assert await found(shop, "chair or lamp") == ["A chair", "A lamp"]
    assert await found(shop, "-bicycle") == ["A chair"]
    assert await found(shop, "the") == []
    assert await found(shop, "nothing of the kind") == []


async def test_filters_hold_for_what_is_searched(shop: Shop) -> None:
    for n in range(3):
        await shop.product(title=f"bicycle {n}", price=n + 1, condition="new" if n else "good")
    assert await found(shop, "bicycle", "&condition=new") == ["bicycle 2", "bicycle 1"]
    assert await found(shop, "bicycle", "&currency=USD&sort=price&min_price=2") == ["bicycle 1", "bicycle 2"]
    assert await found(shop, "-none", "&condition=good") == ["bicycle 0"]


async def test_what_is_searched_follows_what_is_said(shop: Shop) -> None:
    product = await shop.product(title="old title", description="some words")
    await shop.replace(product, title="fresh title", description="other words")
    for text, titles in (("old", []), ("some", []), ("fresh", ["fresh title"]), ("other words", ["fresh title"])):
        assert await found(shop, text) == titles
    query = "SELECT lexeme FROM catalog.product_lexemes WHERE product_id = %s ORDER BY lexeme"
    assert [lexeme for (lexeme,) in shop.rows(query, product["product_id"])] == ["fresh", "titl", "word"]


async def test_words_beyond_all_measure_do_no_harm(shop: Shop) -> None:
    for description in ("x" * 2_046, "x" * 3_000, "\u65e5" * 700, "w " * 5_000, "\u00e9" * 10_000):
        product = await shop.product(title="Long words", description=description)
        assert product["description"] == description.strip()
    many = " ".join(f"word{n}" for n in range(1_000))
    await shop.product(title="Many words", description=many)
    assert await found(shop, "word999") == ["Many words"]
    assert await found(shop, "x" * 200) == []


@pytest.mark.parametrize("search", SEARCHES)
def test_whatever_fits_a_search_has_a_lexeme_of_its_cover(module_database: Urls, search: str) -> None:
    query = read(_parsed(module_database, search))
    if query is None:
        assert _fitting(module_database, search) == []
        return
    for counts in ({}, {word: n for n, word in enumerate(lexemes(query))}):
        chosen = cover(query, counts)
        for document, words in _fitting(module_database, search):
            assert chosen is None or chosen & set(words), document


def test_of_what_has_to_be_there_the_rarest_is_looked_up() -> None:
    query = read("'red' & ( 'car' | 'bike' ) & !'old'")
    assert query
    assert {*lexemes(query)} == {"red", "car", "bike"}
    assert cover(query, {"red": 9, "car": 2, "bike": 3}) == frozenset({"car", "bike"})
    assert cover(query, {"red": 4, "car": 2, "bike": 3}) == frozenset({"red"})
    phrase = read("'it''s' <-> 'a\\\\b':*A <2> 'c'")
    assert phrase
    assert [*lexemes(phrase)] == ["it's", "a\\b", "c"]
    alternatives = read("'a' | !'b'")
    assert alternatives
    assert cover(alternatives, {}) is None


@pytest.mark.parametrize("text", ["'a' &", "& 'a'", "( 'a'", "'a' 'b'", "a", "'a"])
def test_what_is_no_query_is_not_read_as_one(text: str) -> None:
    with pytest.raises(ValueError, match=r"query|bracket"):
        read(text)


def _parsed(urls: Urls, search: str) -> str:
    with psycopg.connect(urls.app_url) as connection:
        row = connection.execute("SELECT websearch_to_tsquery('english', %s)::text", [search]).fetchone()
    assert row
    return str(row[0])


def _fitting(urls: Urls, search: str) -> list[Any]:
    """Those of the documents that fit, each with its lexemes."""
    with psycopg.connect(urls.app_url) as connection:
        return connection.execute(
            "SELECT d, tsvector_to_array(to_tsvector('english', d)) FROM unnest(%s::text[]) d"
            " WHERE to_tsvector('english', d) @@ websearch_to_tsquery('english', %s)",
            [DOCUMENTS, search],
        ).fetchall()
