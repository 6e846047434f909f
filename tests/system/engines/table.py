"""The page that a run writes: a part for each engine, of which a later run renews its own."""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.system.engines.engine import Engine
from tests.system.engines.run import Row

PAGE: Final = Path(__file__).parents[3] / "docs/engines.md"

_HEAD: Final = """# Engines

What becomes of payments when a server falls of which there are several? `make engines` starts each of these engines on
one machine, and on it every process of Strongbox twice, but for those of the chain. Eight clients pay, half of them at
each API; who is not answered goes to the other one, with the same key. In the middle of that something is killed,
stopped in its tracks (SIGSTOP), or restarted one by one. Before it the same house pays, replays, refunds, recovers and
shows a history, page by page. `make engines` writes this page.

What each needs, and what not to do: [two of every process](engines/processes.md), [PgBouncer](engines/pgbouncer.md),
[a pair](engines/pair.md), [Patroni](engines/patroni.md), [RabbitMQ](engines/rabbitmq.md), [Redis](engines/redis.md).

- **without service**: the longest time in which nobody was told that a payment has been made; **events held**: the
  longest in which no event was published. On a busy machine there are such times on a quiet day: see the row *nothing*.
- **lost**: payments that a client was told have been made, and that are not in the books afterwards.
- **verify**: what `strongbox verify` finds at the end of each row, with the gateway's record, once every event is in
  the audit trail; an answer that contradicts another or the contract counts as found, too.

The times are short ones: `REQUEST_TIMEOUT_S` 3, `GATEWAY_TIMEOUT_S` 0.5, `RECOVER_AFTER_S` 4. Who waits for something
that stands still waits as long as they say.
"""
_COLUMNS: Final = """
| | acknowledged | without service, s | events held, s | lost | verify |
|---|---|---|---|---|---|
"""


def write(engine: type[Engine], rows: Sequence[Row], order: Sequence[type[Engine]]) -> None:
    """Put the engine's rows into the page, in place of what it had there."""
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    parts = {part.partition("\n")[0]: part for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]}
    parts[engine.what] = _part(engine, rows)
    known = [parts[one.what] for one in order if one.what in parts]
    PAGE.write_text(_HEAD + "".join(f"\n## {part.strip()}\n" for part in known), encoding="utf-8")


def _part(engine: type[Engine], rows: Sequence[Row]) -> str:
    busy = f"{os.cpu_count()} cores, and {os.getloadavg()[0]:.0f} who wanted them at its end"
    return f"{engine.what}\n\nMeasured with {busy}.\n{_COLUMNS}{''.join(map(_row, rows))}"


def _row(row: Row) -> str:
    found = f"**{len(row.wrong)} found**" if row.wrong else "holds"
    lost = f"**{row.lost}**" if row.lost else "0"
    return f"| {row.deed} | {row.acknowledged:,} | {row.without_s:.1f} | {row.held_s:.1f} | {lost} | {found} |\n"
