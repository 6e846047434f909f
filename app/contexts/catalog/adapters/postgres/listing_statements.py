"""The statements of lists. Each is made for what is asked, and planned for its values: by which index a list is read
best hangs on how many products each filter leaves, and each word of a search."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from app.contexts.catalog.application.browse import Filters, Position, Sort, Wanted
from app.kernel.principal import TenantId
from app.platform.postgres.pipeline import Call, Statement

READ_QUERY: Final = Statement("SELECT websearch_to_tsquery(%b::text::regconfig, %b::text)::text")

MOST_COUNTED: Final = 1_000
MOST_LOOKED_UP: Final = 3
"""Of the lexemes that are required those that the fewest products have: each is a join more to plan."""

COUNTS: Final = Statement(f"""
    SELECT wanted.lexeme, (
        SELECT count(*) FROM (
            SELECT FROM catalog.product_lexemes l
            WHERE l.tenant_id = %b::uuid AND l.lexeme = wanted.lexeme
            LIMIT {MOST_COUNTED}
        ) found
    )
    FROM unnest(%b::text[]) AS wanted (lexeme)
""")
"""In how many products each lexeme is: of what is in very many it is all the same in how many."""

IN_ITS_ORDER: Final[Call] = (Statement("SELECT set_config('enable_sort', 'off', true)"), ())
"""Behind it, until the transaction ends, a list is read along an index that has its order: without statistics the
planner takes what all products have for rare, and would sort all of it."""

_Part = tuple[str, tuple[object, ...]]
"""Some of a statement, with its values."""

_BEHIND: Final = {
    Sort.NEWEST: "(f.created_at, f.id) < (%b::timestamptz, %b::uuid)",
    Sort.CHEAPEST: "(f.price, f.id) > (%b::bigint, %b::uuid)",
    Sort.DEAREST: "(f.price, f.id) < (%b::bigint, %b::uuid)",
    Sort.RANK: "(f.rank, f.created_at, f.id) < (%b::float8::real, %b::timestamptz, %b::uuid)",
}
_ORDERS: Final = {
    Sort.NEWEST: "f.created_at DESC, f.id DESC",
    Sort.CHEAPEST: "f.price, f.id",
    Sort.DEAREST: "f.price DESC, f.id DESC",
    Sort.RANK: "f.rank DESC, f.created_at DESC, f.id DESC",
}


class Search(NamedTuple):
    """A text that is searched for."""

    query: str
    """As a `tsquery`."""
    ranked_by: str
    """The same without what must not be there."""
    required: Sequence[str] = ()
    """Lexemes that every product has which fits."""
    is_plain: bool = False
    """Whether every product fits that has those."""
    is_ranked_by_them: bool = False
    """Whether nothing else of the text says how well something fits."""
    is_ranked_by_first: bool = False
    """Whether the first of them alone has to say it, as very many products have even that one."""
    cover: Collection[str] | None = None
    """Where none is required: lexemes of which every product that fits has one at least; None where one may fit without
    any. Then nothing is ranked."""

    @property
    def is_ranked(self) -> bool:
        """Whether some fit better than others."""
        return bool(self.required) or self.cover is not None


def page(tenant_id: TenantId, wanted: Wanted, search: Search | None = None) -> Call:
    """The statement of a page, one product longer than that is."""
    is_ranked = search is not None and search.is_ranked
    sort = Sort.NEWEST if wanted.sort is Sort.RANK and not is_ranked else wanted.sort
    asked = [("p.tenant_id = %b::uuid", (tenant_id,)), ("p.deleted_at IS NULL", ()), *_filtered(wanted.filters)]
    parts: list[_Part] = [("SELECT f.rank, f.price, f.created_at, f.id FROM (", ())]
    if search is None:
        parts += [("SELECT 0::real AS rank, p.price, p.created_at, p.id FROM catalog.products p", ()), *_where(asked)]
    elif is_walked(wanted, search):
        parts += _along_the_first(tenant_id, search, asked[1:])
    elif search.required:
        parts += _with_all(tenant_id, search, asked, by_rank=sort is Sort.RANK)
    else:
        parts += _with_any(tenant_id, search, asked)
    parts.append((") f", ()))
    if wanted.after:
        parts.append((f"WHERE {_BEHIND[sort]}", _place(sort, wanted.after)))
    parts.append((f"ORDER BY {_ORDERS[sort]} LIMIT %b::bigint", (wanted.limit + 1,)))
    text = "\n".join(part for part, _ in parts)
    return _statement(text), [value for _, values in parts for value in values]


# What clients ask for is of any number of shapes: a session that had them all prepared would grow with them.
@lru_cache(maxsize=512)
def _statement(text: str) -> Statement:
    return Statement(text, prepared=False)


def _with_all(tenant_id: TenantId, search: Search, asked: Sequence[_Part], *, by_rank: bool) -> Iterator[_Part]:
    """Products that have all that is required, and fit. By the rank of one lexeme they are read along its index."""
    lexemes = [f"l{n}" for n in range(len(search.required))]
    is_ranked_by_one = search.is_ranked_by_first or (search.is_ranked_by_them and len(lexemes) == 1)
    is_along = by_rank and is_ranked_by_one
    place = "l0.created_at, l0.product_id AS id" if is_along else "p.created_at, p.id"
    conditions = [*asked]
    if search.is_ranked_by_them or is_ranked_by_one:
        rank = "l0.rank" if is_ranked_by_one else " + ".join(f"{each}.rank" for each in lexemes)
        yield f"SELECT {rank} AS rank, p.price, {place} FROM catalog.products p", ()
    else:
        yield f"SELECT ts_rank(d.document, %b::text::tsquery) AS rank, p.price, {place}", (search.ranked_by,)
        yield "FROM catalog.products p", ()
    if not (search.is_plain and (search.is_ranked_by_them or is_ranked_by_one)):
        yield _DOCUMENTS, ()
        conditions += _fitting(tenant_id, search)
    for name, lexeme in zip(lexemes, search.required, strict=True):
        yield f"JOIN catalog.product_lexemes {name} ON {name}.bucket = p.bucket AND {name}.product_id = p.id", ()
        conditions.append((f"{name}.tenant_id = %b::uuid AND {name}.lexeme = %b::text", (tenant_id, lexeme)))
    yield from _where(conditions)


def is_walked(wanted: Wanted, search: Search) -> bool:
    """Whether a page is read along the index of the first lexeme that is required, whatever the planner thinks: there
    is no filter that might leave less to be read.
    """
    is_all = wanted.filters == Filters(text=wanted.filters.text)
    return search.is_ranked_by_first and wanted.sort is Sort.RANK and is_all


def _along_the_first(tenant_id: TenantId, search: Search, asked: Sequence[_Part]) -> Iterator[_Part]:
    """The same along the index of the first lexeme, until the page is full. All else is looked up by its key: OFFSET 0
    leaves no choice about the order, and what is asked of products stays outside, as their other indexes are of those
    alone of which it holds.
    """
    first, *others = search.required
    yield "SELECT l0.rank, p.price, l0.created_at, l0.product_id AS id FROM catalog.product_lexemes l0", ()
    yield from _looked_up("p", "p.price, p.deleted_at, p.is_active", "products p", "id")
    if not search.is_plain:
        yield from _looked_up("d", "", "product_documents d", "product_id", _fitting(tenant_id, search)[1:])
    for number, lexeme in enumerate(others, start=1):
        name = f"l{number}"
        has_it = f"{name}.lexeme = %b::text", (lexeme,)
        yield from _looked_up(name, "", f"product_lexemes {name}", "product_id", [has_it])
    yield from _where([("l0.tenant_id = %b::uuid AND l0.lexeme = %b::text", (tenant_id, first)), *asked])


def _looked_up(name: str, what: str, table: str, key: str, asked: Sequence[_Part] = ()) -> Iterator[_Part]:
    of_the_first = f"{name}.bucket = l0.bucket AND {name}.{key} = l0.product_id AND {name}.tenant_id = l0.tenant_id"
    yield f"CROSS JOIN LATERAL (SELECT {what} FROM catalog.{table}", ()
    yield from _where([(of_the_first, ()), *asked])
    yield f"OFFSET 0) {name}", ()


def _with_any(tenant_id: TenantId, search: Search, asked: Sequence[_Part]) -> Iterator[_Part]:
    """Products that have some of the cover, or whichever there are, and fit."""
    conditions = [*asked, *_fitting(tenant_id, search)]
    if search.cover is None:
        yield "SELECT 0::real AS rank, p.price, p.created_at, p.id FROM catalog.products p", ()
    else:
        yield "SELECT ts_rank(d.document, %b::text::tsquery) AS rank, p.price, p.created_at, p.id", (search.ranked_by,)
        yield (
            "FROM (SELECT DISTINCT l.bucket, l.product_id FROM catalog.product_lexemes l "
            "WHERE l.tenant_id = %b::uuid AND l.lexeme = ANY(%b::text[])) c",
            (tenant_id, sorted(search.cover)),
        )
        yield "JOIN catalog.products p ON p.bucket = c.bucket AND p.id = c.product_id", ()
    yield _DOCUMENTS, ()
    yield from _where(conditions)


_DOCUMENTS: Final = "JOIN catalog.product_documents d ON d.bucket = p.bucket AND d.product_id = p.id"


def _fitting(tenant_id: TenantId, search: Search) -> Sequence[_Part]:
    return [("d.tenant_id = %b::uuid", (tenant_id,)), ("d.document @@ %b::text::tsquery", (search.query,))]


def _where(conditions: Iterable[_Part]) -> Iterator[_Part]:
    for nth, (condition, values) in enumerate(conditions):
        yield f"{'AND' if nth else 'WHERE'} {condition}", values


def _filtered(filters: Filters) -> Iterator[_Part]:
    if filters.is_active is not None:
        yield ("p.is_active" if filters.is_active else "NOT p.is_active"), ()
    match filters.categories:
        case None:
            pass
        case (only,):  # as one of several, no index would have them in an order
            yield "p.category_id = %b::uuid", (only,)
        case several:
            yield "p.category_id = ANY(%b::uuid[])", ([*several],)
    for condition, value in (
        ("p.seller_id = %b::uuid", filters.seller),
        ("p.condition = %b::text", filters.condition),
        ("p.currency = %b::text", filters.currency),
        ("p.price >= %b::bigint", filters.min_price),
        ("p.price <= %b::bigint", filters.max_price),
    ):
        if value is not None:
            yield condition, (value,)
    if filters.featured is not None:
        yield ("p.featured" if filters.featured else "NOT p.featured"), ()
    if filters.in_stock is not None:
        yield ("p.quantity > p.reserved" if filters.in_stock else "p.quantity = p.reserved"), ()


def _place(sort: Sort, after: Position) -> tuple[object, ...]:
    match sort:
        case Sort.NEWEST:
            return after.at, after.id
        case Sort.RANK:
            return after.rank, after.at, after.id
        case _:
            return after.price_minor, after.id
