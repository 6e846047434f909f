"""What a sizing hangs on: what it would be if an input, or what a payment costs, were another."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from bench.results import number
from bench.sizing.measured import Measured
from bench.sizing.model import Sizing, size
from bench.sizing.parts import kept_bytes
from bench.sizing.plan import GIB, HOURS_A_DAY
from bench.sizing.points import Foretold

PAGE_BYTES = 8192
COLD_PAGES = 4
"""Of each user's own that a payment writes to (docs/benchmarks.md, `growth-spread`)."""
OTHER_SHARE = 80


def changes(sizing: Sizing, measured: Measured, foretold: Sequence[Foretold]) -> Iterator[str]:
    """Sentences, each with its figure."""
    plan = sizing.plan
    first = sizing.in_order[0]
    yield (
        f"the first limit, {first.name} at {number(first.holds)} payments/s, before anything else; "
        f"then {sizing.in_order[1].name}, at {number(sizing.in_order[1].holds)}"
    )
    if plan.share != OTHER_SHARE:
        other = size(replace(plan, share=OTHER_SHARE), measured)
        yield f"{OTHER_SHARE} % instead of {plan.share:g} %: {other.cores:,} cores instead of {sizing.cores:,}"
    written = measured.written
    cold = written.wal_bytes + max(COLD_PAGES - written.wal_full_pages, 0) * PAGE_BYTES
    yield (
        f"wallets that pay less than once a checkpoint have up to {COLD_PAGES} pages logged whole: "
        f"{number(cold)} bytes of WAL, not {number(written.wal_bytes)}"
    )
    gib_a_byte = plan.payments_per_second * plan.mean / 100 * 3600 * HOURS_A_DAY / GIB
    a_day, kept = gib_a_byte * (1 + plan.standbys), kept_bytes(measured)
    yield (
        f"a day more of payments is {number(a_day * kept['payments'])} GiB, of the audit log "
        f"{number(a_day * kept['audit'])}, of events {number(a_day * kept['events'])}, "
        f"of keys {number(a_day * kept['keys'])}"
    )
    yield f"a day of WAL is {number(gib_a_byte * written.wal_bytes)} GiB, for whoever archives it"
    if foretold:
        one = foretold[-1]
        ahead, real = (sum(cost[nth] for cost in one.costs.values()) for nth in (0, 1))
        yield (
            f"batches: with {one.point.apis} APIs under the same load a payment took {real / ahead - 1:+.0%} "
            "of the processor; an API that has little to do makes small ones"
        )
