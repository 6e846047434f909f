"""How many of each: the arithmetic, and how it is told."""

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.sizing.__main__ import main
from bench.sizing.model import Sizing, size
from bench.sizing.parts import BUCKETS, Part
from bench.sizing.plan import GIB, INPUTS, MIB, Plan
from bench.sizing.telling import tell
from tests.system.documents import ROOT
from tests.system.sized import (
    KEPT,
    PER_SECOND,
    RATES,
    SPREAD,
    WRITTEN,
    measured,
    results,
    spread_without,
    written,
)

PAGE = ROOT / "docs/sizing.md"


def sized(rate: float, **plan: Any) -> Sizing:
    return size(Plan(payments_per_second=rate, **plan), measured())


def part(sizing: Sizing, name: str) -> Part:
    (one,) = (each for each in sizing.parts if each.name == name)
    return one


def test_a_process_takes_what_is_planned_of_its_core() -> None:
    api = part(sized(100_000), "api")
    assert api.one_takes == pytest.approx(0.6 * 1e6 / 608.9)
    assert api.needed == math.ceil(100_000 / api.one_takes) == 102
    assert part(sized(100_000, share=100), "api").needed == 61


def test_of_what_can_be_doubled_there_are_two_so_that_one_may_die() -> None:
    assert {each.name: each.needed for each in sized(1).parts} == {
        "api": 2, "relay": 2, "recover": 2, "metrics": 2, "audit": 1, "postgres": 1, "rabbitmq": 1, "redis": 1,
    }  # fmt: skip


def test_the_hash_chain_goes_as_fast_as_it_was_seen_to_however_many_cores_there_are() -> None:
    audit = part(sized(100_000, cores=64), "audit")
    assert audit.one_takes == pytest.approx(0.6 * RATES["audit"] / 2)
    assert (audit.bound_by, audit.is_too_much) == ("its turns", True)


def test_a_brokers_node_has_no_use_for_more_cores_than_an_event_has_queues() -> None:
    small, large = (part(sized(1000, cores=cores), "rabbitmq") for cores in (2, 64))
    assert (small.bound_by, small.cores) == ("its cores", 3 * 2)
    assert (large.bound_by, large.cores) == ("its queues", 3 * 4)  # 3.5 of them
    assert large.one_takes == pytest.approx(0.6 * 4 * 1e6 / 258.2)


def test_what_saturates_first_comes_first() -> None:
    order = sized(100_000).in_order
    assert [each.name for each in order] == ["audit", "rabbitmq", "postgres", "redis", "relay"]
    assert [each.holds for each in order] == sorted(each.holds for each in order)
    assert not any(each.is_too_much for each in sized(order[0].holds).parts)
    assert [each.name for each in sized(order[0].holds * 1.01).parts if each.is_too_much] == ["audit"]


def test_servers_have_whole_buckets_and_the_fullest_is_not_over_its_share() -> None:
    postgres = part(sized(100_000), "postgres")
    assert postgres.one_takes == pytest.approx(20_004, abs=1)
    assert postgres.needed == 6, "three buckets of 6,250 each: five would leave one of them with four"
    assert (postgres.nodes, postgres.cores) == (12, 192)


@given(rate=st.floats(1, 1e6), share=st.floats(1, 100), cores=st.integers(1, 128))
def test_no_part_is_planned_beyond_its_share(rate: float, share: float, cores: int) -> None:
    for each in size(Plan(payments_per_second=rate, share=share, cores=cores), measured()).parts:
        load = rate / each.needed
        if each.name in ("postgres", "rabbitmq") and each.needed <= BUCKETS:
            load = rate * math.ceil(BUCKETS / each.needed) / BUCKETS
        assert load <= each.one_takes * (1 + 1e-9), each


@given(rate=st.floats(1, 1e6), more=st.floats(1, 10))
def test_more_payments_never_need_less(rate: float, more: float) -> None:
    for few, many in zip(sized(rate).parts, sized(rate * more).parts, strict=True):
        assert few.needed <= many.needed, few.name


def test_disks_hold_what_a_payment_leaves_as_long_as_it_is_kept() -> None:
    sizing = sized(1000, mean=50, standbys=2, audit=10, events=12)
    postgres, rabbitmq = sizing.disks
    bytes_of = {kind: one["tables"] + one["indexes"] for kind, one in KEPT.items()}
    copies = 3
    assert postgres.gib_by_kind["audit"] == pytest.approx(500 * 10 * 86400 * bytes_of["audit"] * copies / GIB)
    assert postgres.gib_by_kind["events"] == pytest.approx(500 * 12 * 3600 * bytes_of["events"] * copies / GIB)
    assert "others" not in postgres.gib_by_kind
    assert rabbitmq.gib == pytest.approx(1000 * 3600 * WRITTEN["broker_bytes"] * 3 / GIB), "an outage may meet the peak"
    assert postgres.mib_s == pytest.approx(1000 * (WRITTEN["wal_bytes"] + sum(bytes_of.values()) - 21.5) / MIB)


def test_a_disk_that_is_given_is_a_limit_and_one_that_is_not_is_none() -> None:
    assert part(sized(1000), "postgres").bound_by == "its cores"
    slow = part(sized(1000, disk=20), "postgres")
    assert slow.bound_by == "its disk"
    assert slow.one_takes == pytest.approx(0.6 * 20 * MIB / 29_582, rel=0.001)


def test_limits_are_what_redis_is_for_and_wallets_have_none() -> None:
    assert part(sized(1000, limits=4), "redis").us == pytest.approx(4 * 8.6)
    assert part(sized(1e6, limits=0), "redis").needed == 1


def test_what_has_nothing_to_do_does_not_saturate() -> None:
    sizing = sized(1e6, limits=0)
    assert "redis" not in [each.name for each in sizing.in_order]
    assert "inf" not in tell(sizing, measured(), [], "results.json")


def test_without_a_price_no_money_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = [PER_SECOND, "1000", *written(tmp_path, results())]
    assert main(options) == 0
    assert "month\n" not in capsys.readouterr().out.partition("In all")[2]
    assert sized(1000).money == {}
    assert main([*options, "--core-hour", "0.04"]) == 0
    in_all = capsys.readouterr().out.partition("In all")[2].partition("\n\n")[0]
    cores = sized(1000).cores
    assert in_all.splitlines()[2:] == [f"  cores: {cores * 730 * 0.04:,.2f} a month"]


def test_prices_of_both_are_added_up() -> None:
    priced = sized(1000, core_hour=0.05, gib_month=0.1)
    assert priced.money == {"cores": pytest.approx(priced.cores * 36.5), "disks": pytest.approx(priced.gib / 10)}


def test_every_input_is_named_with_its_unit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = [PER_SECOND, "1000", *written(tmp_path, results())]
    assert main(options) == 0
    told = capsys.readouterr().out
    assert main([*options, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    for each in INPUTS:
        value = each.default if each.default is not None else {"payments_per_second": 1000}.get(each.name)
        assert answer["inputs"][each.name] == {"value": value, "unit": each.unit, "what": each.what}
        assert f"  {each.option} " in told
        assert each.what in told
    assert answer["saturates_first"] == "audit"
    assert {one["name"]: one["needed"] for one in answer["parts"]}["api"] == 2
    assert answer["money_a_month"] == {}


def test_what_takes_nothing_holds_any_number_in_json_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    costs = SPREAD["cpu_us_per_payment"] | {"recover": 0.0}
    options = written(tmp_path, results(spread=spread_without(cpu_us_per_payment=costs)))
    assert main([PER_SECOND, "1000", "--json", *options]) == 0
    (recover,) = (one for one in json.loads(capsys.readouterr().out)["parts"] if one["name"] == "recover")
    assert (recover["one_takes"], recover["needed"]) == (None, 2)


def test_the_example_of_the_page_is_what_the_model_says() -> None:
    (example,) = (
        block for block in PAGE.read_text().split("```text\n")[1:] if block.startswith("Inputs (results.json")
    )
    now = tell(sized(100_000, mean=20), measured(), [], "results.json")
    assert example.partition("```")[0] == now + "\n"
    drawn = re.findall(r'\["(\w+) × (\d+)', PAGE.read_text())
    assert {name: int(count) for name, count in drawn} == {
        each.name: each.needed for each in sized(100_000).parts if each.name != "recover"
    }


def test_every_input_is_on_the_page() -> None:
    page = PAGE.read_text()
    assert {each.option for each in INPUTS if f"`{each.option}`" not in page} == set()
