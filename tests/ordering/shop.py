"""Carts and orders over a real socket, wired as in the product, over a real database, with people of the test's own."""

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg

from app.contexts.ordering.context import ORDERING
from app.main.contexts import load
from app.main.house import House
from app.main.local.roles import Urls
from app.platform.context import Http
from app.platform.http.inflight import InFlight
from app.platform.http.operations import Operation
from tests.api_answers import check_documented
from tests.api_harness import OPTIONS, Options
from tests.fakes.people import FakePeople, Somebody
from tests.funds.served import Served, serving

CONTEXTS = "funds,payments,catalog,ordering"
TENANT = "shop"
"""What operators call the shop's tenant, where they know it."""
PATIENT = Options(OPTIONS.api_keys, OPTIONS.currencies, request_timeout_s=120.0)


@dataclass
class Shop:
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
            return cursor.fetchall() if cursor.description is not None else []

    def product(
        self, seller: Somebody | None = None, *, price: int = 1_250, quantity: int = 3, title: str = "a lamp",
        currency: str = "USD", tenant: Any = None,
    ) -> UUID:  # fmt: skip
        """Something that is for sale."""
        product_id = uuid4()
        self.query(
            "INSERT INTO catalog.products (bucket, tenant_id, id, seller_id, title, description, condition, price,"
            " currency, quantity, put_in, images, specifications, shipping_info, featured, is_active, created_at,"
            " updated_at) VALUES (%s, %s, %s, %s, %s, '', 'new', %s, %s, %s, %s, '{}', '{}', '{}', false, true, now(),"
            " now())",
            product_id.int & 15, tenant or self.people.tenant, product_id, seller.id if seller else uuid4(), title,
            price, currency, quantity, quantity,
        )  # fmt: skip
        return product_id

    def edit(self, product_id: UUID, **members: Any) -> None:
        """Change it behind everybody's back."""
        changes = ", ".join(f"{name} = %s" for name in members)
        self.query(f"UPDATE catalog.products SET {changes} WHERE id = %s", *members.values(), product_id)

    def order(self, buyer: Somebody, seller: Somebody, *, minutes_ago: float = 0, **members: Any) -> UUID:
        """An order as a checkout leaves it."""
        order_id = members.pop("id", None) or uuid4()
        items = [{"product_id": str(uuid4()), "title": "a lamp", "qty": 2, "price": 1_250}]
        row = {
            "bucket": buyer.id.int & 15, "tenant_id": buyer.principal.tenant_id, "user_id": buyer.id, "id": order_id,
            "checkout_id": uuid4(), "seller_id": seller.id, "items": json.dumps(items), "total": 2_500, "fee": 25,
            "currency": "USD", "status": "paid", "hold_id": uuid4(), "house_user_id": uuid4(), **members,
        }  # fmt: skip
        names = ", ".join(row)
        at = f"now() - interval '{minutes_ago} min'"
        paid_at = at if row["hold_id"] else "NULL"
        self.query(
            f"INSERT INTO ordering.orders ({names}, created_at, updated_at, paid_at)"
            f" VALUES ({', '.join(['%s'] * len(row))}, {at}, {at}, {paid_at})",
            *row.values(),
        )
        return order_id

    def get(self, who: Somebody, path: str, **query: Any) -> httpx.Response:
        return self.client.get(path, params=query, headers=who.bearer)

    def cart(self, who: Somebody) -> Any:
        """Somebody's cart."""
        answer = self.get(who, "/v1/cart")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def put(self, who: Somebody, product_id: object, qty: Any = 1) -> httpx.Response:
        body = {"product_id": str(product_id), "qty": qty}
        return self.client.post("/v1/cart/items", json=body, headers=who.bearer)

    def change(self, who: Somebody, item_id: object, qty: Any) -> httpx.Response:
        return self.client.put(f"/v1/cart/items/{item_id}", json={"qty": qty}, headers=who.bearer)

    def remove(self, who: Somebody, item_id: object) -> httpx.Response:
        return self.client.delete(f"/v1/cart/items/{item_id}", headers=who.bearer)

    def check_out(self, who: Somebody) -> UUID:
        """Begin to, and stop in the middle."""
        checkout_id = uuid4()
        self.query(
            "UPDATE ordering.carts SET checkout_id = %s WHERE user_id = %s AND status = 'active'", checkout_id, who.id
        )
        return checkout_id


@contextmanager
def shop_over(urls: Urls, superuser_url: str) -> Iterator[Shop]:
    """The shop's API over the database."""
    house = House(load({"DATABASE_URL": urls.app_url, "GATEWAY_URL": "http://127.0.0.1:1", "CONTEXTS": CONTEXTS}))
    container = house.container("ordering")

    def offer(in_flight: InFlight, people: FakePeople) -> Sequence[Operation]:
        http = Http(in_flight, PATIENT.known_currencies, PATIENT.request_timeout_s, people.ports)
        assert ORDERING.operations is not None
        return ORDERING.operations(container, http)

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
        yield Shop(served, superuser_url, document, client)
