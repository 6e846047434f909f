"""What must be true of the money that people moved: all the time, and in the end."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from typing import Final

import psycopg

from tests.system.soak.books import Books
from tests.system.soak.fleet import Fleet
from tests.system.soak.listener import Listener
from tests.system.soak.load import Wallet
from tests.system.soak.moves import Account, Move
from tests.system.soak.people import People

LOOK_EVERY_S: Final = 0.5

# One statement, one moment: what is in wallets, set aside, on its way to the gateway and charged there, less all that
# was given back of that, and that ever came in.
_SUM: Final = """
    SELECT (SELECT sum(current_balance) + sum(held) FROM wallet_balances)
         + (SELECT coalesce(sum(amount), 0) FROM payments WHERE status IN ('PENDING', 'APPROVED'))
         - (SELECT coalesce(sum(amount), 0) FROM payments.refunds WHERE status = 'COMPLETED')
         - (SELECT sum(amount) FROM transactions WHERE kind = 'FUNDING')
"""


class Scale:
    """Weighs all the money again and again while it moves."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self.looks = 0
        self.complaints: list[str] = []

    async def run(self) -> None:
        """Look, until cancelled. While the database is away there is nothing to see."""
        while True:
            with suppress(psycopg.Error):
                await asyncio.to_thread(self.look)
            await asyncio.sleep(LOOK_EVERY_S)

    def look(self) -> None:
        """Look once."""
        ((difference,),) = self._fleet.query(_SUM)
        self.looks += 1
        if difference != 0:
            self.complaints.append(f"at look {self.looks} there was {difference} more than ever came in")


def weighed(scale: Scale) -> Iterator[str]:
    """The sum never moved."""
    scale.look()
    yield from scale.complaints


def contradictions(people: People) -> Iterator[str]:
    """Each move has one outcome, which everybody is told who asks for it."""
    yield from people.complaints
    for move in people.moves:
        yield from move.contradictions()


def wallets(
    fleet: Fleet, books: Books, owned: Sequence[Wallet], effects: Counter[Account], held: Counter[Account]
) -> Iterator[str]:
    """People have what they were told: at first, less what was paid, and what they sent and got."""
    wanted = Counter(effects)
    wanted.update({(str(wallet.user_id), wallet.currency): wallet.initial for wallet in owned})
    wanted.subtract(books.spent())
    columns = "user_id::text, currency, current_balance, held"
    found = {row[:2]: row[2:] for row in fleet.query(f"SELECT {columns} FROM wallet_balances")}
    for account in wanted.keys() | found.keys():
        balances = found.get(account, (0, 0))
        if balances != (wanted[account], held[account]):
            has, wants = (
                f"{balance}, and {aside} set aside" for balance, aside in (balances, (wanted[account], held[account]))
            )
            yield f"wallet {' '.join(account)} has {has}, not {wants}"


def between_users(fleet: Fleet) -> Iterator[str]:
    """What went from one to another came there, and nothing is held for ever."""
    sums = "SELECT currency, sum(amount) FROM ledger_entries WHERE account = 'transfers' GROUP BY currency"
    yield from (f"transfers in {code} sum to {total}" for code, total in fleet.query(sums) if total != 0)
    teller = "SELECT id FROM holds WHERE status = 'OPEN' AND context NOT IN ('ordering', 'auctions')"
    yield from (f"hold {hold} is open" for (hold,) in fleet.query(teller))


def done(fleet: Fleet, people: People, of_orders: Collection[str]) -> Iterator[str]:
    """There are as many transfers and holds as people were told of, and no others; what was forbidden is not there."""
    sent = {move.told["transfer_id"] for move in people.moves if "transfer_id" in move.told}
    legs = "SELECT DISTINCT id::text FROM transactions WHERE kind = 'TRANSFER_OUT'"
    legs += " OR (kind = 'FUNDING' AND reference IS NOT NULL)"
    held = {move.told["done"][0] for move in people.moves if move.what == "hold" and "done" in move.told} | {*of_orders}
    of_others = "SELECT id::text FROM holds WHERE context <> 'auctions'"  # of which bidders are not told
    for what, told, query in (("transfer", sent, legs), ("hold", held, of_others)):
        found = {each for (each,) in fleet.query(query)}
        yield from (f"{what} {each} was told, and is not in the books" for each in told - found)
        yield from (f"{what} {each} is in the books, and was told to nobody" for each in found - told)


def events(fleet: Fleet, listener: Listener) -> Iterator[str]:
    """Each transfer and each hold was told of in its order, first of all, and is in the audit trail once."""
    trail: dict[str, list[int]] = defaultdict(list)
    rows = "SELECT subject::text, sequence FROM audit.events WHERE type ~ '^(transfer|hold)' ORDER BY subject, sequence"
    for subject, sequence in fleet.query(rows):
        trail[subject].append(sequence)
    told = "SELECT subject::text, max(sequence), count(*) FROM funds.outbox_events GROUP BY subject"
    versions = dict(fleet.query("SELECT id::text, version FROM holds"))
    for subject, last, count in fleet.query(told):
        wanted = list(range(1, versions.get(subject, 1) + 1))
        if (last, count) != (wanted[-1], len(wanted)):
            yield f"{subject} has {count} events, not {len(wanted)}"
        if (seen := listener.sequences.get(subject, [])) != wanted:
            yield f"{subject} was first published as {seen}, not {wanted}"
        if (kept := trail.pop(subject, [])) != wanted:
            yield f"{subject} is in the audit trail as {kept}, not {wanted}"
    yield from (f"the audit trail has {subject}, the outbox does not" for subject in trail)


def outcomes(moves: Sequence[Move]) -> Counter[str]:
    """How many moves ended how."""
    words = {"transfer_id": "done", "forbidden": "forbidden"}
    return Counter(f"{move.what} {words.get(move.outcome(), move.outcome())}" for move in moves)
