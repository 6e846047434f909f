"""What must be true of auctions in the end: of bids, of what was told of them, and of the money of those who bid."""

from collections import defaultdict
from collections.abc import Iterator

from tests.system.soak.bidders import Bidders
from tests.system.soak.listener import Listener
from tests.system.soak.servers import Servers


def contradictions(bidders: Bidders) -> Iterator[str]:
    """Each bid has one outcome, whoever asks; and so has what ended an auction."""
    yield from bidders.complaints
    for deed in (*bidders.bids, *bidders.ends):
        yield from deed.contradictions()
    for end in bidders.ends:
        if end.status != 200 or end.told["status"] != "cancelled":
            yield f"{end.name}: was answered {end.status} {end.outcome}"


def bids(servers: Servers, bidders: Bidders) -> Iterator[str]:
    """The bids are those that were told to count, each in the place that was told. All were decided."""
    told = bidders.placed()
    rows = servers.query("SELECT id::text, auction_id::text, user_id::text, sequence, amount FROM auctions.bids")
    found = {row[0]: row[1:] for row in rows}
    for bid in told.keys() | found.keys():
        if told.get(bid) != found.get(bid):
            yield f"bid {bid} was told as {told.get(bid)}, and is {found.get(bid)}"
    left = (
        "SELECT 'bid ' || id FROM auctions.intents UNION ALL SELECT 'hold ' || hold_id FROM auctions.returns"
        " UNION ALL SELECT 'auction ' || id FROM auctions.auctions WHERE status <> 'cancelled'"
        " UNION ALL SELECT 'hold ' || id FROM holds WHERE context = 'auctions' AND status <> 'RELEASED'"
    )
    yield from (f"{what} is left" for (what,) in servers.query(left))


def events(servers: Servers, listener: Listener) -> Iterator[str]:
    """All of an auction was told in order, first of all, and is in the audit trail once."""
    trail: dict[str, list[int]] = defaultdict(list)
    kept = "SELECT subject::text, sequence FROM audit.events WHERE starts_with(type, 'auction.') ORDER BY 1, 2"
    for subject, sequence in servers.query(kept):
        trail[subject].append(sequence)
    for subject, last in servers.query("SELECT id::text, last_event_id FROM auctions.auctions"):
        wanted = list(range(1, last + 1))
        if (seen := listener.sequences.get(subject, [])) != wanted:
            yield f"auction {subject} was first published as {seen}, not 1 to {last}"
        if (found := trail.pop(subject, [])) != wanted:
            yield f"auction {subject} is in the audit trail as {found}, not 1 to {last}"
    yield from (f"the audit trail has auction {subject}, the market does not" for subject in trail)
