"""Reconciliation over a real socket, wired as in the product, over a real database: payments and refunds are put there
as a test needs them, and tenants are of the test's own."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg

from app.contexts.reconciliation.container import ReconciliationContainer
from app.contexts.reconciliation.context import RECONCILIATION
from app.contexts.reconciliation.domain.report import HEADER
from app.kernel.principal import Role, TenantId
from app.main.contexts import load
from app.main.house import House
from app.main.local.roles import Urls
from app.platform.context import Http
from app.platform.http.inflight import InFlight
from app.platform.http.operations import Operation
from app.platform.tenants import DEFAULT
from tests.api_answers import check_documented
from tests.api_harness import OPTIONS, Options
from tests.fakes.people import FakePeople, Somebody
from tests.funds.served import Served, serving

CONTEXTS = "funds,payments,reconciliation"
PATIENT = Options(OPTIONS.api_keys, OPTIONS.currencies, request_timeout_s=300.0)
DAY = date(2025, 6, 10)
NEXT = DAY + timedelta(days=1)
PATH = "/v1/reconciliations"


def at(day: date, clock: str = "12:00:00") -> datetime:
    """A time of the day, in UTC."""
    return datetime.combine(day, time.fromisoformat(clock), UTC)


NOON = at(DAY)


@dataclass(frozen=True)
class Row:
    """A payment as it is here."""

    tenant: TenantId | None
    status: str = "APPROVED"
    finalized_at: datetime | None = NOON
    amount: int = 1_250
    currency: str = "USD"
    id: UUID = field(default_factory=uuid4)

    @property
    def final(self) -> datetime | None:
        return None if self.status == "PENDING" else self.finalized_at


@dataclass(frozen=True)
class Refund:
    """A refund as it is here, of a payment that became final long ago."""

    of: Row
    status: str = "COMPLETED"
    finalized_at: datetime | None = NOON
    amount: int = 250
    id: UUID = field(default_factory=uuid4)

    @property
    def final(self) -> datetime | None:
        return None if self.status == "PENDING" else self.finalized_at


def line(of: Row | Refund, *, when: datetime | None = None, **said: Any) -> str:
    """What a report says of it, or something else in the place of any field."""
    payment = of.of if isinstance(of, Refund) else of
    fields = {
        "type": "refund" if isinstance(of, Refund) else "charge", "charge_id": UUID(int=payment.id.int ^ 1),
        "payment_id": payment.id, "refund_id": of.id if isinstance(of, Refund) else "", "amount": of.amount,
        "currency": payment.currency, "occurred_at": (when or of.finalized_at or at(DAY)).isoformat(),
    }  # fmt: skip
    return ",".join(str(value) for value in (fields | said).values())


def report(*lines: str) -> bytes:
    """A report of these lines."""
    return "".join(f"{one}\n" for one in (HEADER, *lines)).encode()


@dataclass
class Desk:
    """The API over a database. Every answer has to be documented."""

    served: Served
    superuser_url: str
    container: ReconciliationContainer
    client: httpx.Client
    admin: Somebody

    @property
    def people(self) -> FakePeople:
        return self.served.people

    @property
    def tenant(self) -> TenantId:
        return self.people.tenant

    def query(self, text: str, *values: object) -> list[Any]:
        """What a superuser sees, whom no policy holds."""
        with psycopg.connect(self.superuser_url, autocommit=True) as superuser:
            cursor = superuser.execute(text.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def put(self, rows: Iterable[Row | Refund]) -> None:
        """Put payments and refunds there, as if they had come about."""
        payments = [row for row in rows if isinstance(row, Row)]
        refunds = [row for row in rows if isinstance(row, Refund)]
        payments += [refund.of for refund in refunds]
        with psycopg.connect(self.superuser_url) as superuser, superuser.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO payments (user_id, id, transaction_id, idempotency_key, provider_id, external_reference,"
                " amount, currency, status, created_at, finalized_at, tenant_id)"
                " VALUES (%(id)s, %(id)s, %(id)s, 'k', %(id)s, 'r', %(amount)s, %(currency)s, %(status)s, %(made)s,"
                " %(final)s, %(tenant)s)",
                [_payment(row) for row in payments],
            )
            cursor.executemany(
                "INSERT INTO payments.refunds (bucket, tenant_id, user_id, id, payment_id, asked_by, idempotency_key,"
                " amount, currency, status, failure_code, created_at, finalized_at)"
                " VALUES (get_byte(uuid_send(%(of)s), 15) & 15, %(tenant)s, %(of)s, %(id)s, %(of)s, %(of)s, 'k',"
                " %(amount)s, %(currency)s, %(status)s, CASE %(status)s WHEN 'REFUSED' THEN 'charge_gone' END,"
                " %(made)s, %(final)s)",
                [_refund(row) for row in refunds],
            )

    def settle(self, row: Row | Refund, status: str, finalized_at: datetime) -> None:
        """Let it become final."""
        code = "charge_gone" if status == "REFUSED" else None
        table = "payments" if isinstance(row, Row) else "payments.refunds"
        self.query(
            f"UPDATE {table} SET status = %s, finalized_at = %s, failure_code = %s WHERE id = %s",
            status, finalized_at, code, row.id,
        )  # fmt: skip

    def post(
        self, body: bytes, day: date | str = DAY, who: Somebody | None = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Give it a report."""
        given = {"Content-Type": "text/csv", **(who or self.admin).bearer, **(headers or {})}
        return self.client.post(PATH, content=body, params={"date": str(day)}, headers=given)

    def run(self, body: bytes, day: date = DAY, who: Somebody | None = None) -> dict[str, Any]:
        """What came of a report."""
        answer = self.post(body, day, who)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def get(self, path: str = "", who: Somebody | None = None, **query: Any) -> httpx.Response:
        return self.client.get(f"{PATH}{path}", params=query, headers=(who or self.admin).bearer)

    def findings(self, run: Mapping[str, Any], who: Somebody | None = None, **query: Any) -> list[dict[str, Any]]:
        """All findings of a run."""
        found, more = list[dict[str, Any]](), dict[str, str]()
        while True:
            answer = self.get(f"/{run['reconciliation_id']}/findings", who, limit=200, **query, **more)
            assert answer.status_code == 200, answer.text
            found += answer.json()["findings"]
            if (cursor := answer.json()["next_cursor"]) is None:
                return found
            more = {"cursor": cursor}

    def kinds(self, run: Mapping[str, Any]) -> list[tuple[str, str, int | None]]:
        """The findings of a run: kind, what it is about, line."""
        return sorted(
            ((f["kind"], f["refund_id"] or f["payment_id"], f["line"]) for f in self.findings(run)),
            key=lambda one: (one[0], one[2] or 0, one[1]),
        )

    def resolve(self, finding_id: object, note: Any = "it is fine", who: Somebody | None = None) -> httpx.Response:
        """Say what it was about."""
        return self.client.post(
            f"{PATH}/findings/{finding_id}/resolve", json={"note": note}, headers=(who or self.admin).bearer
        )

    def move(self) -> None:
        """Make way for tenants that nobody has heard of."""
        self.people.move_out()
        self.people.houses[0] = self.people.houses[0]._replace(name=DEFAULT)
        self.container.tenant_of_keys()._known = None  # it is another one's now
        self.admin = self.people.user(role=Role.ADMIN)


def _payment(row: Row) -> dict[str, Any]:
    return {
        "id": row.id, "amount": row.amount, "currency": row.currency, "status": row.status, "tenant": row.tenant,
        "made": at(DAY - timedelta(days=30)), "final": row.final,
    }  # fmt: skip


def _refund(row: Refund) -> dict[str, Any]:
    return {
        "id": row.id, "of": row.of.id, "amount": row.amount, "currency": row.of.currency, "status": row.status,
        "tenant": row.of.tenant, "made": at(DAY - timedelta(days=3)), "final": row.final,
    }  # fmt: skip


@contextmanager
def desk_over(urls: Urls, superuser_url: str) -> Iterator[Desk]:
    """The API of reconciliation over the database."""
    given = {"DATABASE_URL": urls.app_url, "GATEWAY_URL": "http://127.0.0.1:1", "CONTEXTS": CONTEXTS}
    house = House(load(given))
    container: ReconciliationContainer = house.container("reconciliation")
    people: list[FakePeople] = []

    def offer(in_flight: InFlight, known: FakePeople) -> Sequence[Operation]:
        people.append(known)
        house.people = known.ports
        http = Http(in_flight, PATIENT.known_currencies, PATIENT.request_timeout_s, known.ports)
        assert RECONCILIATION.operations is not None
        return RECONCILIATION.operations(container, http)

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for pool in await house.open(stack):
                await pool.wait()
            yield

    with serving(offer, lifespan, PATIENT) as served, served.client() as client:
        document = client.get("/openapi.json").json()

        def check(response: httpx.Response) -> None:
            request, body = response.request, response.read()
            check_documented(document, request.method, request.url.path, response.status_code, response.headers, body)

        client.event_hooks["response"].append(check)
        desk = Desk(served, superuser_url, container, client, served.people.user(role=Role.ADMIN))
        desk.move()
        yield desk
