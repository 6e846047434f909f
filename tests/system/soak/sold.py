"""What must be true of the market in the end: of checkouts and orders, of pieces of products, of what was told."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any, Final

from tests.system.soak.listener import Listener
from tests.system.soak.market import Market
from tests.system.soak.servers import Servers
from tests.system.soak.shelf import Thing

LEFT: Final = """
    SELECT (SELECT count(*) FROM ordering.checkouts WHERE status = 'pending')
         + (SELECT count(*) FROM ordering.orders WHERE status = 'pending' OR closing IS NOT NULL)
         + (SELECT count(*) FROM catalog.products WHERE reserved <> 0)
         + (SELECT count(*) FROM catalog.reservation_lines WHERE status = 'RESERVED')
         + (SELECT count(*) FROM catalog.cache_deletions)
         + (SELECT count(*) FROM holds h WHERE status = 'OPEN'
            AND NOT EXISTS (SELECT FROM ordering.orders o WHERE o.hold_id = h.id AND o.status = 'paid'))
         + (SELECT count(*) FROM auctions.intents) + (SELECT count(*) FROM auctions.returns)
         + (SELECT count(*) FROM (SELECT event_id, sent_at FROM ordering.outbox_events
            UNION ALL SELECT event_id, sent_at FROM catalog.outbox_events
            UNION ALL SELECT event_id, sent_at FROM auctions.outbox_events) o
            LEFT JOIN audit.events a USING (event_id) WHERE o.sent_at IS NULL OR a.event_id IS NULL)
"""
"""What is half done: pending, closing, reserved, held for nothing, not forgotten yet by the cache, or not told of."""


def at_rest(servers: Servers) -> bool:
    """Whether nothing of the market is half done."""
    return servers.query(LEFT) == [(0,)]


def contradictions(market: Market) -> Iterator[str]:
    """Each checkout has one outcome, and so has whatever was done with an order, whoever asks."""
    yield from market.asking.complaints
    yield from market.buyers.complaints
    for sale in market.buyers.sales:
        yield from sale.contradictions()
    for order in market.buyers.orders.values():
        yield from order.contradictions()


def orders(servers: Servers, market: Market) -> Iterator[str]:
    """The orders are those that were told of, and stand where their people were told; what was given up is all
    cancelled."""
    told = {(str(sale.who.id), sale.key): sale for sale in market.buyers.sales}
    rows = servers.query(
        "SELECT c.user_id::text, c.key, c.id::text, c.status, coalesce(array_agg(o.status), '{}'),"
        " coalesce(array_agg(o.id::text ORDER BY o.id), '{}')"
        " FROM ordering.checkouts c LEFT JOIN ordering.orders o ON o.checkout_id = c.id GROUP BY 1, 2, 3, 4"
    )
    paid: Counter[tuple[str, str | None]] = Counter()
    for user, key, id_, status, found, ids in rows:
        sale = told.get((user, key))
        if sale is None:
            yield f"checkout {id_} is nobody's"
        elif status == "paid":
            paid[user, key] += 1
            if sale.status != 201 or sorted(order["order_id"] for order in sale.told["orders"]) != ids:
                yield f"{sale.name}: was told {sale.outcome}, checkout {id_} is paid with {ids}"
        elif status != "cancelled" or set(found) - {"cancelled", None}:
            yield f"{sale.name}: checkout {id_} is {status}, its orders {found}"
    for (user, key), sale in told.items():
        if paid[user, key] != (sale.status == 201):
            yield f"{sale.name}: was told {sale.outcome}, and was paid {paid[user, key]} times"
    stand = dict(servers.query("SELECT id::text, status FROM ordering.orders"))
    for order in market.buyers.orders.values():
        if stand.get(order.id) != order.status:
            yield f"order {order.id} is {stand.get(order.id)}, and was told to be {order.status}"


def pieces(servers: Servers, market: Market) -> Iterator[str]:
    """Of each product what was put in is sold or left; what is sold is what buyers were told that they have."""
    sold: Counter[str] = Counter()
    for order in market.buyers.orders.values():
        sold.update(order.pieces if order.status != "cancelled" else {})
    tags = _tags(servers)
    rows = servers.query(
        "SELECT id::text, quantity, reserved, sold, put_in, deleted_at IS NOT NULL, edits FROM catalog.products"
    )
    for id_, left, reserved, gone, put_in, is_deleted, edits in rows:
        thing = market.shelf.things.get(id_)
        if id_ in market.bidders.products:
            continue
        if thing is None:
            if not set(tags[id_]) & market.shelf.unknown_tags or gone or is_deleted:
                yield f"product {id_} was put on sale by nobody"
            continue
        yield from _edits(thing, tags[id_])
        wanted = thing.put_in + sum(e.after - e.before for tag, e in thing.edits.items() if tag in tags[id_])
        if (reserved, gone, put_in, left) != (0, sold[id_], wanted, wanted - sold[id_]):
            yield (
                f"product {id_}: {left} left, {reserved} reserved, {gone} sold of {put_in}; {wanted} were put in,"
                f" {sold[id_]} bought"
            )
        if is_deleted != thing.is_gone or edits != len(tags[id_]):
            yield f"product {id_}: deleted {is_deleted}, {edits} edits, {len(tags[id_])} events"
    yield from (f"product {id_} is not there" for id_ in market.shelf.things.keys() - {row[0] for row in rows})


def _tags(servers: Servers) -> dict[str, list[str]]:
    """What each product's events say which change they tell of, in order."""
    tags: dict[str, list[str]] = defaultdict(list)
    events = (
        "SELECT subject::text, payload->'data'->'specifications'->>'edit' FROM catalog.outbox_events"
        " ORDER BY subject, sequence"
    )
    for subject, tag in servers.query(events):
        tags[subject].append(tag)
    return tags


def _edits(thing: Thing, tags: list[str]) -> Iterator[str]:
    for tag, edit in thing.edits.items():
        count = tags.count(tag) - (thing.is_gone and bool(tags) and tags[-1] == tag)  # deleted as it was
        status = edit.answer.status if edit.answer and edit.answer.is_known else 0
        if count > 1 or (status == 200 and count != 1) or (status not in (0, 200) and count):
            yield f"product {thing.id}: an edit answered {status or 'unknown'} came about {count} times"


def events(servers: Servers, listener: Listener) -> Iterator[str]:
    """What became of each order and product was told in order, first of all, and is in the audit trail once."""
    trail: dict[str, list[int]] = defaultdict(list)
    kept = "SELECT subject::text, sequence FROM audit.events WHERE type ~ '^(product|order)\\.' ORDER BY 1, 2"
    for subject, sequence in servers.query(kept):
        trail[subject].append(sequence)
    last: dict[str, Any] = dict(servers.query("SELECT id::text, edits FROM catalog.products"))
    numbers = "CASE status WHEN 'paid' THEN 1 WHEN 'completed' THEN 3 ELSE 2 END"
    last |= dict(servers.query(f"SELECT id::text, {numbers} FROM ordering.orders WHERE hold_id IS NOT NULL"))
    for subject, number in last.items():
        wanted = list(range(1, number + 1))
        if (seen := listener.sequences.get(subject, [])) != wanted:
            yield f"{subject} was first published as {seen}, not {wanted}"
        if (found := trail.pop(subject, [])) != wanted:
            yield f"{subject} is in the audit trail as {found}, not {wanted}"
    yield from (f"the audit trail has {subject}, the market does not" for subject in trail)


def told(servers: Servers, market: Market) -> Iterator[str]:
    """An event says of an order what its buyer was told."""
    rows = servers.query("SELECT subject::text, payload->'data' FROM ordering.outbox_events WHERE sequence = 1")
    for subject, data in rows:
        order = market.buyers.orders.get(subject)
        if order is None or order.paid != data:
            yield f"order.paid of {subject} says {data}, its buyer was told {order and order.paid}"
