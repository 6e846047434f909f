"""Days of a tenant of its own, and the gateway's reports of them with every fault: what is to be found there is known
from how the day was made, and never worked out from what is compared."""

import uuid
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import httpx

from app.contexts.reconciliation.domain.finding import Kind
from app.kernel.principal import Role
from tests.reconciliation.desk import PATH, Row, line, report
from tests.system.crash.deeds import later
from tests.system.crash.fragile import Fragile
from tests.system.crash.proxy import Then
from tests.system.crash.trade import insist, seen
from tests.system.e2e.crowd import Person, person
from tests.system.e2e.house import LIMIT_S, body

Found = tuple[str, str, int | None]
"""A kind, what it is about, and the line of the report."""
CLOSE = timedelta(minutes=16)
"""To midnight: what is missing there may be in the next day's report."""
AMOUNT = 100
COMMIT = "strongbox-reconcile: COMMIT"
"""The event of a run is sent together with it; what else is kept was sent before."""


@dataclass
class Day:
    """What the tenant's admin closes by handing in its report."""

    house: Fragile
    tenant: str
    admin: Person
    buyer: Person
    date: date
    lines: list[str] = field(default_factory=list)
    found: list[Found] = field(default_factory=list)
    matched: int = 0
    carried: int = 0
    takes: int = 0
    """How much of what the day before has carried there is to be taken."""
    before: tuple[int, ...] = ()
    """What was kept before it was handed in."""

    @property
    def tenant_id(self) -> str:
        ((found,),) = self.house.query("SELECT id::text FROM identity.tenants WHERE name = %s", self.tenant)
        return str(found)

    @property
    def report(self) -> bytes:
        return report(*self.lines)

    def hand_in(self, port: int | None = None) -> httpx.Response:
        url = f"http://127.0.0.1:{port or self.house.ports['HTTP_PORT']}{PATH}"
        headers = self.admin.bearer | {"Content-Type": "text/csv"}
        return httpx.post(url, params={"date": str(self.date)}, content=self.report, headers=headers, timeout=LIMIT_S)

    def hand_in_later(self, port: int | None = None) -> "Future[httpx.Response]":
        return later(self.hand_in, port)

    def pay(self) -> httpx.Response:
        """Have the buyer pay something."""
        bill = {"provider_id": str(self.house.provider_id), "external_reference": "bill 7"}
        headers = self.buyer.bearer | {"Idempotency-Key": str(uuid.uuid4())}
        url, money = f"{self.house.api_url}/v1/payments", {"amount": AMOUNT, "currency": "USD"}
        return httpx.post(url, json=bill | money, headers=headers, timeout=LIMIT_S)

    def paid(self) -> str:
        """The id of a payment that is made, or is declined."""
        return str(body(self.pay(), 201)["payment_id"])

    def tell(self, payment_id: str, kind: Kind | None = None, **said: Any) -> None:
        """Have the report tell of a payment, or of something else in its place, of which that is to be found."""
        self.lines.append(told(payment_id, **said))
        if kind is None:
            self.matched += 1
        else:
            self.found.append((kind.value, payment_id, len(self.lines) + 1))

    def lengthen(self, lines: int) -> None:
        """Have the report tell of its first line so often again."""
        payment_id = self.lines[0].split(",")[2]
        for _ in range(lines):
            self.tell(payment_id, Kind.DOUBLED)

    def kept(self) -> tuple[int, ...]:
        """How many runs of the tenant there are, findings, lines that are carried, those of them that are taken, lines
        that were told, and events of all that."""
        ((*counts,),) = seen(
            self.house,
            "SELECT (SELECT count(*) FROM reconciliation.runs WHERE tenant_id = t.id),"
            " (SELECT count(*) FROM reconciliation.findings WHERE tenant_id = t.id),"
            " (SELECT count(*) FROM reconciliation.carried WHERE tenant_id = t.id),"
            " (SELECT count(taken_by) FROM reconciliation.carried WHERE tenant_id = t.id),"
            " (SELECT coalesce(sum(cardinality(ids)), 0)::int FROM reconciliation.reported WHERE tenant_id = t.id),"
            " (SELECT count(*) FROM reconciliation.outbox_events WHERE tenant_id = t.id)"
            " FROM identity.tenants t WHERE t.name = %s", self.tenant,
        )  # fmt: skip
        return tuple(counts)

    def findings(self, run_id: str) -> list[Found]:
        """Those of a run, in their order."""
        find = (
            "SELECT kind, coalesce(refund_id, payment_id)::text, line FROM reconciliation.findings"
            " WHERE reconciliation_id = %s ORDER BY number"
        )
        return [(kind, about, line) for kind, about, line in seen(self.house, find, run_id)]

    def is_closed_once(self, answer: httpx.Response | None = None) -> None:
        """See that whoever hands it in again is told the same, that all is found which is to be found, and that it is
        kept once."""
        first = insist(self.hand_in)
        run = body(first, 201)
        assert answer is None or answer.content == first.content
        self.is_as_it_should_be(run)
        again = self.hand_in()
        assert (again.status_code, again.content) == (201, first.content)
        assert self.kept() == self.after
        self.house.verify()

    def is_as_it_should_be(self, run: dict[str, Any]) -> None:
        """See that all is found in a run which is to be found, and nothing else."""
        counted = [run[name] for name in ("date", "lines", "matched", "carried", "findings")]
        assert counted == [str(self.date), len(self.lines), self.matched, self.carried, len(self.found)]
        lines_first = sorted(self.found, key=lambda one: (one[2] is None, one[2] or 0))
        assert self.findings(run["reconciliation_id"]) == lines_first

    @property
    def after(self) -> tuple[int, ...]:
        """What is kept once it is closed."""
        more = (1, len(self.found), self.carried, self.takes, len(self.lines), 1)
        return tuple(was + comes for was, comes in zip(self.before, more, strict=True))


def told(payment_id: str, **said: Any) -> str:
    """A line of a report."""
    return line(Row(None, amount=AMOUNT, id=uuid.UUID(payment_id)), **said)


def empty_day(house: Fragile) -> Day:
    """Today, of a new tenant, with nothing told and nothing paid."""
    tenant = f"t{uuid.uuid4().hex}"
    house.command("tenant", "add", tenant)
    admin, buyer = person(house, role=Role.ADMIN, tenant=tenant), person(house, 10_000, tenant=tenant)
    ((now,),) = house.query("SELECT clock_timestamp() AT TIME ZONE 'UTC'")
    assert isinstance(now, datetime)
    day = Day(house, tenant, admin, buyer, now.date())
    day.before = day.kept()
    return day


def day_with_faults(house: Fragile) -> Day:
    """The day behind one whose report told wrongly of what was pending, with a report that has each fault."""
    day = empty_day(house)
    carried = _left_by_yesterday(day)
    day.tell(day.paid())
    day.tell(day.paid(), Kind.AMOUNT_DIFFERS, amount=AMOUNT + 1)
    day.tell(day.paid(), Kind.CURRENCY_DIFFERS, currency="EUR")
    day.tell(twice := day.paid())
    day.tell(twice, Kind.DOUBLED)
    day.tell(str(uuid.uuid4()), Kind.MISSING_HERE)
    house.mode("declined")
    day.tell(day.paid(), Kind.STATUS_DIFFERS)
    house.mode("happy")
    missing = day.paid()
    ((now,),) = house.query("SELECT clock_timestamp() AT TIME ZONE 'UTC'")
    if (now - CLOSE).date() == (now + CLOSE).date():
        day.found.append((Kind.MISSING_THERE.value, missing, None))
    else:  # pragma: no cover -- close to midnight it may be in the next day's report
        day.tell(missing)
    day.found.append((Kind.AMOUNT_DIFFERS.value, carried, None))
    day.before, day.takes = day.kept(), 1
    return day


def _left_by_yesterday(day: Day) -> str:
    """Have the day before carry a line whose payment was pending, and turns out to be of another amount."""
    house = day.house
    with house.postgres.trap("strongbox-settle: BEGIN", Then.HOLD) as settling:
        paying = later(day.pay)
        settling.wait()
        payment_id = house.payment_id(day.buyer.id)
        yesterday = Day(house, day.tenant, day.admin, day.buyer, day.date - timedelta(days=1))
        yesterday.lines.append(told(payment_id, amount=AMOUNT + 1))
        assert body(yesterday.hand_in(), 201)["carried"] == 1
        settling.let_go()
        paying.result(LIMIT_S)
    house.wait_for_status(day.buyer.id, "APPROVED")
    return payment_id


def died(first: "Future[httpx.Response]") -> None:
    """See that whoever asked had no answer."""
    assert isinstance(first.exception(LIMIT_S), Exception), f"a dead process answered {first.result()}"
