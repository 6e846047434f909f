"""Results of a benchmark to size by: the processor times and rates of a quiet run, and bytes that hang on no clock."""

from pathlib import Path
from typing import Any

from bench.results import Measure, Results, measure
from bench.sizing.measured import Measured

PER_SECOND = "--payments-per-second"
MACHINE = {"cpu": "Xeon at 2.8 GHz", "cores": 2}
MEASURED_AT = "2026-11-22"
COSTS = {
    "api": 608.9, "postgres": 479.9, "rabbitmq": 258.2, "relay": 101.9, "audit": 87.7, "gateway": 60.4, "metrics": 54.1,
    "wrk": 31.0, "recover": 1.0, "redis": 0.0,
}  # fmt: skip
WRITTEN = {
    "wal_bytes": 20932.0, "wal_records": 70.7, "wal_full_pages": 1.59, "rows_inserted": 11.0, "rows_updated": 7.1,
    "rows_updated_in_place": 2.84, "rows_deleted": 0.0, "events": 2.0, "messages": 7.0, "broker_bytes": 9103.0,
}  # fmt: skip
KEPT = {
    "payments": {"tables": 748.3, "indexes": 852.1},
    "audit": {"tables": 1822.4, "indexes": 225.6},
    "events": {"tables": 3856.1, "indexes": 307.9},
    "keys": {"tables": 744.7, "indexes": 93.1},
    "others": {"tables": 21.5, "indexes": 0.0},
}
RATES = {"spread": 948.0, "hot": 1034.5, "audit": 18033.0}
SPREAD: dict[str, Any] = {
    "cpu_us_per_payment": COSTS, "cpu_us_per_limit": {"redis": 8.6}, "written_per_payment": WRITTEN,
    "kept_bytes_per_payment": KEPT,
}  # fmt: skip


def found(value: float, **details: Any) -> Measure:
    """What a scenario found, against a limit that does not matter here."""
    one = measure([value], [1000.0], unit="1/s", limit_is="any", goal=1.0, details=details)
    return Measure(**{name: getattr(one, name) for name in one.__struct_fields__} | {"measured_at": MEASURED_AT})


def results(**scenarios: Measure | None) -> Results:
    """All that the model needs, but for what is given another way; None takes it away."""
    whole: dict[str, Measure | None] = {name: found(rate) for name, rate in RATES.items()}
    whole |= {"spread": found(RATES["spread"], **SPREAD)} | scenarios
    return Results(dict(MACHINE), {name: one for name, one in whole.items() if one is not None})


def spread_without(*names: str, **others: Any) -> Measure:
    """What `spread` found, but for some of its details."""
    return found(RATES["spread"], **{name: one for name, one in (SPREAD | others).items() if name not in names})


def measured(**scenarios: Measure | None) -> Measured:
    return Measured.of(results(**scenarios), "results.json")


def written(tmp_path: Path, what: Results) -> list[str]:
    """The options that name a file with these results."""
    what.write(tmp_path / "results.json")
    return ["--results", str(tmp_path / "results.json")]
