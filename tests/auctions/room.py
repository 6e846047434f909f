"""Auctions over a real socket, wired as in the product, over a real database, with people of the test's own."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg

from app.contexts.auctions.context import AUCTIONS
from app.contexts.ordering.context import ORDERING
from app.main.contexts import load
from app.main.house import House
from app.main.local.roles import Urls
from app.platform.context import Http
from app.platform.http.inflight import InFlight
from app.platform.http.operations import Operation
from tests.api_answers import check_documented
from tests.auctions.hall import CONTEXTS
from tests.fakes.people import FakePeople, Somebody
from tests.funds.served import Served, serving
from tests.ordering.shop import PATIENT


@dataclass
class Room:
    """The API over a database. Every answer has to be documented."""

    served: Served
    superuser_url: str
    document: Any
    client: httpx.Client

    @property
    def people(self) -> FakePeople:
        return self.served.people

    def user(self, **how: Any) -> Somebody:
        return self.people.user(**how)

    def query(self, text: str, *values: object) -> list[Any]:
        """What a superuser sees, whom no policy holds."""
        with psycopg.connect(self.superuser_url, autocommit=True) as superuser:
            cursor = superuser.execute(text.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def pay_in(self, who: Somebody, amount: int) -> None:
        """Let somebody have money."""
        self.query(
            "INSERT INTO wallet_balances (user_id, currency, current_balance, version, updated_at)"
            " VALUES (%s, 'USD', %s, 1, now()) ON CONFLICT (user_id, currency)"
            " DO UPDATE SET current_balance = excluded.current_balance",
            who.id, amount,
        )  # fmt: skip

    def auction(
        self, seller: Somebody | None = None, *, starting: int = 100, starts_s: float = -60, ends_s: float = 3_600,
        tenant: Any = None,
    ) -> UUID:  # fmt: skip
        """An auction as it is opened. Times are seconds from now."""
        auction_id = uuid4()
        self.query(
            "INSERT INTO auctions.auctions (bucket, tenant_id, id, seller_id, product_id, title, currency,"
            " starting_price, steps, extend_s, starts_at, planned_end, ends_at, status, price, bid_count, bidder_count,"
            " last_event_id, created_at, updated_at)"
            " SELECT %s, %s, %s, %s, gen_random_uuid(), 'a lamp', 'USD', %s, '0:5/100:25', 120, now() +"
            " make_interval(secs => %s), e, e, 'open', %s, 0, 0, 1, now(), now()"
            " FROM (SELECT now() + make_interval(secs => %s) AS e) e",
            auction_id.int & 15, tenant or self.people.tenant, auction_id, seller.id if seller else uuid4(), starting,
            starts_s, starting, ends_s,
        )  # fmt: skip
        return auction_id

    def product(
        self, seller: Somebody, *, quantity: int = 1, currency: str = "USD", category: UUID | None = None
    ) -> UUID:
        """Something that is for sale."""
        product_id = uuid4()
        self.query(
            "INSERT INTO catalog.products (bucket, tenant_id, id, seller_id, category_id, title, description,"
            " condition, price, currency, quantity, put_in, images, specifications, shipping_info, featured, is_active,"
            " created_at, updated_at) VALUES (%s, %s, %s, %s, %s, 'a lamp', '', 'new', 1250, %s, %s, %s, '{}', '{}',"
            " '{}', false, true, now(), now())",
            product_id.int & 15, seller.principal.tenant_id, product_id, seller.id, category, currency, quantity,
            quantity,
        )  # fmt: skip
        return product_id

    def body(self, seller: Somebody, **members: Any) -> dict[str, Any]:
        """What is said of an auction of an hour; of a new product, unless one is named."""
        usual = {"starting_price": 100, "currency": "USD", "ends_at": hence(3_600)}
        said = usual | members
        return said if "product_id" in said else said | {"product_id": str(self.product(seller))}

    def post(self, who: Somebody, body: Any) -> httpx.Response:
        """Ask for an auction."""
        return self.client.post("/v1/auctions", json=body, headers=who.bearer)

    def opened(self, seller: Somebody, **members: Any) -> Any:
        """An auction of theirs, as they are shown it."""
        answer = self.post(seller, self.body(seller, **members))
        assert answer.status_code == 201, answer.text
        return answer.json()

    def get(self, who: Somebody | None, path: str, **query: Any) -> httpx.Response:
        """Read something, with a credential or without one."""
        return self.client.get(f"/v1/auctions{path}", params=query, headers=who.bearer if who else {})

    def buy(self, who: Somebody, auction_id: object, key: str | None = None) -> httpx.Response:
        headers = who.bearer | {"Idempotency-Key": key or uuid4().hex}
        return self.client.post(f"/v1/auctions/{auction_id}/buy", headers=headers)

    def cancel(self, who: Somebody, auction_id: object) -> httpx.Response:
        return self.client.post(f"/v1/auctions/{auction_id}/cancel", headers=who.bearer)

    def bid(
        self, who: Somebody, auction_id: object, amount: Any, most: Any = None, key: str | None = None
    ) -> httpx.Response:
        body = {"amount": amount} | ({} if most is None else {"max_amount": most})
        headers = who.bearer | {"Idempotency-Key": key or uuid4().hex}
        return self.client.post(f"/v1/auctions/{auction_id}/bids", json=body, headers=headers)


def hence(seconds: float) -> str:
    """The time in so many seconds."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


@contextmanager
def room_over(urls: Urls, superuser_url: str) -> Iterator[Room]:
    """The API of auctions over the database."""
    house = House(load({"DATABASE_URL": urls.app_url, "GATEWAY_URL": "http://127.0.0.1:1", "CONTEXTS": CONTEXTS}))
    container = house.container("auctions")

    def offer(in_flight: InFlight, people: FakePeople) -> Sequence[Operation]:
        http = Http(in_flight, PATIENT.known_currencies, PATIENT.request_timeout_s, people.ports)
        assert AUCTIONS.operations is not None
        assert ORDERING.operations is not None
        # What was bought is shown as ordering shows it.
        return [*ORDERING.operations(house.container("ordering"), http), *AUCTIONS.operations(container, http)]

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
        yield Room(served, superuser_url, document, client)
