"""What is written for what was done: by PostgreSQL into its log and its tables, by the broker; and what of it stays."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Final

from app.contexts.payments.public import EVENTS
from app.kernel.topology import queues_of
from app.main import outboxes
from app.main.contexts import load
from bench.house import BenchHouse
from bench.machine import written_bytes

KEPT: Final[Mapping[str, tuple[str, ...]]] = {
    "payments": ("public.payments", "public.transactions", "public.ledger_entries"),
    "audit": ("audit.events",),
    "events": ("payments.outbox_events", "metrics.inbox"),
    "keys": ("public.idempotency_keys",),
}
"""The tables of which a payment keeps rows, by how long they are kept."""

OTHERS: Final = "others"
"""What it changes without adding to it."""

_LOG: Final = "SELECT wal_bytes::float8, wal_records::float8, wal_fpi::float8 FROM pg_stat_wal"
_ROWS: Final = """
    SELECT coalesce(sum(n_tup_ins), 0)::float8, coalesce(sum(n_tup_upd), 0)::float8,
           coalesce(sum(n_tup_hot_upd), 0)::float8, coalesce(sum(n_tup_del), 0)::float8
    FROM pg_stat_user_tables
"""
_SIZES: Final = (
    "SELECT schemaname || '.' || relname, pg_table_size(relid), pg_indexes_size(relid) FROM pg_stat_user_tables"
)
_EVENTS: Final = "SELECT type, count(*) FROM payments.outbox_events GROUP BY type"

# A session tells what it has done when it is idle for 10 s, or once a second while it works. All four tables were empty
# when the database was made.
_TOLD: Final = """
    SELECT bool_and(told.n_tup_ins >= there.rows AND (NOT there.changes OR told.n_tup_upd >= there.rows))
    FROM pg_stat_user_tables AS told
    JOIN (SELECT 'payments'::regclass AS relid, true AS changes, count(*) AS rows FROM payments
          UNION ALL SELECT 'payments.outbox_events'::regclass, true, count(*) FROM payments.outbox_events
          UNION ALL SELECT 'audit.events'::regclass, false, count(*) FROM audit.events
          UNION ALL SELECT 'metrics.inbox'::regclass, false, count(*) FROM metrics.inbox) AS there USING (relid)
"""
_LOOK_EVERY_S: Final = 0.5


@dataclass(frozen=True)
class Written:
    """What was written so far, or for one of what was done.

    `wal_full_pages` are pages that went whole into the log, as they had not been written since a checkpoint. An update
    in place (HOT) changes no index. `messages` are those that queues took: an event goes to several. `broker_bytes` is
    what the broker has written to its disk, and not what it keeps there.
    """

    wal_bytes: float
    wal_records: float
    wal_full_pages: float
    rows_inserted: float
    rows_updated: float
    rows_updated_in_place: float
    rows_deleted: float
    events: float
    messages: float
    broker_bytes: float

    def since(self, before: "Written", count: int) -> "Written":
        """What was written after that, for one of so many."""
        return Written(**{
            each.name: round((getattr(self, each.name) - getattr(before, each.name)) / max(count, 1), 3)
            for each in fields(self)
        })  # fmt: skip


@dataclass(frozen=True)
class Kept:
    """Bytes in tables, what is out of line included, and in indexes."""

    tables: float
    indexes: float


@dataclass(frozen=True)
class State:
    """All of that at a time, of everything in the house's database; the log is that of its whole server."""

    written: Written
    kept: Mapping[str, Kept]

    @classmethod
    def of(cls, house: BenchHouse) -> "State":
        """Once PostgreSQL has been told by all its sessions."""
        house.wait(lambda: bool(house.query(_TOLD)[0][0]), "PostgreSQL's figures", every_s=_LOOK_EVERY_S)
        ((wal_bytes, wal_records, wal_full_pages),) = house.query(_LOG)
        ((inserted, updated, in_place, deleted),) = house.query(_ROWS)
        events = dict(house.query(_EVENTS))
        return cls(
            Written(
                wal_bytes=wal_bytes,
                wal_records=wal_records,
                wal_full_pages=wal_full_pages,
                rows_inserted=inserted,
                rows_updated=updated,
                rows_updated_in_place=in_place,
                rows_deleted=deleted,
                events=float(sum(events.values())),
                messages=float(_messages(house, events)),
                broker_bytes=float(sum(written_bytes(pid) for pid in house.broker_pids())),
            ),
            _kept(house),
        )

    def since(self, before: "State", count: int) -> dict[str, object]:
        """What was written, and what stays, for one of so many; as a measure's details have it."""
        kept = {
            name: Kept(
                round((now.tables - before.kept[name].tables) / max(count, 1), 1),
                round((now.indexes - before.kept[name].indexes) / max(count, 1), 1),
            )
            for name, now in self.kept.items()
        }
        return {
            "written_per_payment": asdict(self.written.since(before.written, count)),
            "kept_bytes_per_payment": {name: asdict(one) for name, one in kept.items()},
        }


def _messages(house: BenchHouse, events: Mapping[str, int]) -> int:
    """In how many queues the events were put: those of their exchange, and those that listen to it."""
    exchanges = outboxes.exchanges(load(house.environment, {}))
    queues = queues_of(exchange for exchange in exchanges if exchange.name == EVENTS.name)
    return sum(count for kind, count in events.items() for queue in queues if queue.takes(kind))


def _kept(house: BenchHouse) -> dict[str, Kept]:
    names = {table: name for name, tables in KEPT.items() for table in tables}
    found = {name: Kept(0.0, 0.0) for name in (*KEPT, OTHERS)}
    for table, size, indexes in house.query(_SIZES):
        name = names.get(table, OTHERS)
        found[name] = Kept(found[name].tables + size, found[name].indexes + indexes)
    return found
