"""The client for Python against `make run`: its examples, what it does when answers are lost, and all that it reads."""

import asyncio
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from strongbox_client import Approved, AsyncClient, Failed, OutcomeUnknown, Password, codes
from strongbox_client.operations.payments import Payment
from tests.system.crash.dialects import Http
from tests.system.crash.proxy import Proxy, Then
from tests.system.e2e.programs import (
    CLIENT,
    HASTY,
    PASSWORD,
    client_of,
    command,
    key_of,
    machine,
    run_program,
    twenty_lines,
)
from tests.system.e2e.service import Service, serving

PAYER = "0190c7a0-0000-7000-8000-000000000001"
PROVIDER = "0190c7a0-0000-7000-8000-00000000000a"
LIMITS = dict.fromkeys(("RATE_LIMIT_IP", "RATE_LIMIT_USER", "RATE_LIMIT_WALLET", "RATE_LIMIT_LOGIN"), "off")
OFFICE = ("payments:write", "payments:refund", "transfers:write", "webhooks:manage", "finance:read", "wallet:receive")
DEEDS = (Then.LOSE_THE_ANSWER, Then.SWALLOW_ANSWERS, Then.CUT)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Service]:
    with serving(tmp_path_factory.mktemp("client"), request, **LIMITS) as service:
        yield service


@pytest.fixture(scope="module")
def proxy(service: Service) -> Iterator[Proxy]:
    """Between the clients and the service."""
    proxy = Proxy(service.ports["8080"], Http)
    yield proxy
    proxy.close()


def test_the_examples_of_its_readme_run_one_after_the_other(service: Service) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", (CLIENT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    assert len(blocks) == 5
    printed = run_program(service, "\n".join(blocks))
    assert re.search(r"^paid: \S+$", printed, re.MULTILINE)
    assert re.search(r"^\S+ 3750$", printed, re.MULTILINE)  # what ada has left
    assert re.search(r" TRANSFER_OUT 1250 3750$", printed, re.MULTILINE)


def test_a_shop_takes_twenty_lines(service: Service) -> None:
    printed = run_program(service, twenty_lines("shop.py")).splitlines()
    assert len(printed) == 2
    assert re.fullmatch(r"TRANSFER_IN 300 USD ann_\w+ for the tea", printed[0])
    assert re.fullmatch(r"CAPTURE_IN 2500 USD ann_\w+ None", printed[1])


def test_an_office_takes_twenty_lines(service: Service) -> None:
    printed = run_program(service, twenty_lines("office.py"), *OFFICE).splitlines()
    assert printed == [
        "FUNDING 10000 USD",
        "PAYMENT 1250 USD",
        "MERCHANT_REFUND 250 USD",
        "TRANSFER_OUT 300 USD",
        "TRANSFER_OUT 300 USD",
        "COMPLETED 2 0 8400 ACTIVE",
    ]


def charges(service: Service, reference: str) -> list[Any]:
    """What the gateway has of it."""
    listed = httpx.get(f"http://127.0.0.1:{service.ports['8081']}/admin/charges").json()["charges"]
    return [charge for charge in listed if charge["external_reference"] == reference]


def paid(service: Service, port: int, reference: str, by: Callable[..., Payment]) -> None:
    """Pay through the port: it is approved, and charged once."""
    with client_of(service) as direct:
        before = direct.wallets.balance(PAYER, currency="USD").balances[0].current_balance
        payment = by(service, port, reference)
        assert isinstance(payment, Approved)
        assert [charge["payment_id"] for charge in charges(service, reference)] == [str(payment.payment_id)]
        after = direct.wallets.balance(PAYER, currency="USD").balances[0].current_balance
    assert before - after == 7


def by_blocking(service: Service, port: int, reference: str) -> Payment:
    with client_of(service, port) as client:
        return client.wallets.pay(PAYER, provider_id=PROVIDER, external_reference=reference, amount=7, currency="USD")


def by_awaiting(service: Service, port: int, reference: str) -> Payment:
    async def pay() -> Payment:
        url = f"http://127.0.0.1:{port}"
        async with AsyncClient(url, api_key=key_of(service), patience=HASTY) as client:
            return await client.wallets.pay(
                PAYER, provider_id=PROVIDER, external_reference=reference, amount=7, currency="USD"
            )

    return asyncio.run(pay())


@pytest.mark.parametrize("by", [by_blocking, by_awaiting])
@pytest.mark.parametrize("then", DEEDS)
def test_a_payment_whose_answer_is_lost_is_charged_once(
    service: Service, proxy: Proxy, then: Then, by: Callable[..., Payment]
) -> None:
    with proxy.trap("POST /wallets/", then) as trap:
        paid(service, proxy.port, f"lost {then.name} {by.__name__}", by)
        trap.wait()


@pytest.mark.parametrize("then", DEEDS)
def test_money_that_is_sent_and_a_cart_that_is_ordered_move_once(service: Service, proxy: Proxy, then: Then) -> None:
    name, other = uuid4().hex[:12], uuid4().hex[:12]
    with client_of(service, proxy.port) as lossy:
        till = lossy.acting_as(machine(service, "wallet:receive"))
        for each in (name, other):
            user = lossy.auth.register(email=f"{each}@example.com", password=PASSWORD, username=each, role="seller")
            till.wallet.receive(user_id=user.user_id, amount=1000, currency="USD", reference=f"opening of {each}")
        buyer, seller = (lossy.acting_as(Password(f"{each}@example.com", PASSWORD)) for each in (name, other))
        product = seller.products.add(title="A cup", condition="new", price=300, currency="USD", quantity=5)
        cart = buyer.cart.put(product_id=product.product_id, qty=2)
        with proxy.trap("POST /v1/wallet/send", then) as sending, proxy.trap("POST /v1/orders", then) as ordering:
            buyer.wallet.send(to=other, amount=100, currency="USD")
            (order,) = buyer.orders.check_out(expected_total=cart.total).orders
            sending.wait()
            ordering.wait()
        assert [each.order_id for each in buyer.orders.list(as_="buyer")] == [order.order_id]
        (balance,) = buyer.wallet.get().balances
        assert (balance.current_balance, balance.held) == (300, 600)
        assert seller.products.get(product.product_id).available == 3


def test_an_outcome_that_the_gateway_keeps_to_itself_is_asked_for_until_it_is_known(service: Service) -> None:
    admin = f"http://127.0.0.1:{service.ports['8081']}/admin/mode"
    with client_of(service) as client, service.happy_gateway():
        httpx.put(admin, json={"mode": "timeout", "applies_to": "all", "charge": "before"})
        order: dict[str, Any] = {
            "provider_id": PROVIDER,
            "external_reference": "silent",
            "amount": 7,
            "currency": "USD",
        }
        with pytest.raises(OutcomeUnknown) as unknown:
            client.within(15).wallets.pay(PAYER, **order)
        assert isinstance(unknown.value.last, codes.GatewayTimeout | codes.IdempotencyInProgress)
        assert len(charges(service, "silent")) == 1
        healed = threading.Timer(2, lambda: httpx.put(admin, json={"mode": "happy"}))
        healed.start()
        payment = client.wallets.pay(PAYER, **order, key=unknown.value.idempotency_key)
        healed.join()
    assert isinstance(payment, Approved)
    assert [charge["payment_id"] for charge in charges(service, "silent")] == [str(payment.payment_id)]


def test_a_payment_that_failed_says_that_no_charge_stands(service: Service) -> None:
    admin = f"http://127.0.0.1:{service.ports['8081']}/admin/mode"
    with client_of(service) as client, service.happy_gateway():
        httpx.put(admin, json={"mode": "500"})
        with pytest.raises(codes.GatewayError) as failed:
            client.wallets.pay(PAYER, provider_id=PROVIDER, external_reference="broken", amount=7, currency="USD")
    assert (failed.value.status, failed.value.refunded) == ("FAILED", True)
    assert failed.value.payment_id is not None
    assert Failed.status == failed.value.status


def test_what_it_reads_of_a_service_is_what_it_says_it_reads(service: Service) -> None:
    email = f"{uuid4().hex}@example.com"
    command(service, "user", "add", email, "--role", "admin")
    with client_of(service) as client:
        admin = client.acting_as(Password(email, PASSWORD))
        assert client.system.ready().status == "ok"
        assert client.system.keys()[0]["kty"]
        assert b"strongbox_" in client.system.metrics()
        assert b"<html" in client.system.docs()
        assert admin.auth.me().role == "admin"
        kitchen = admin.categories.add(name="Kitchen", slug=f"kitchen-{uuid4().hex[:8]}")
        assert kitchen.category_id in {each.category_id for each in admin.categories.tree()}
        assert admin.categories.replace(kitchen.category_id, name="Kitchens", slug=kitchen.slug).name == "Kitchens"
        cup = admin.products.add(title="A cup", condition="good", price=300, currency="USD", quantity=1)
        assert client.products.newer(cup.product_id, than=cup.version) is None
        said: dict[str, Any] = {"title": "A mug", "condition": "good", "price": 300, "currency": "USD", "quantity": 1}
        assert admin.products.replace(cup.product_id, version=cup.version, **said).version == cup.version + 1
        with pytest.raises(codes.PreconditionFailed) as moved:
            admin.products.replace(cup.product_id, version=cup.version, **said)
        assert moved.value.version == cup.version + 1
        assert {each.title for each in client.products.list(q="mug")} == {"A mug"}
        admin.products.remove(cup.product_id)
        admin.categories.remove(kitchen.category_id)
        rule = admin.cashback.add_rule(basis_points=100, currency="USD", merchant="kiosk.example")
        assert admin.cashback.change_rule(rule.rule_id, basis_points=150, is_active=False).basis_points == 150
        assert rule.rule_id in {each.rule_id for each in admin.cashback.rules()}
        assert len([*admin.users.list(limit=1)]) > 1
        assert admin.users.get(admin.auth.me().user_id).is_active is True
        assert admin.system.invalidate_cache(patterns=["products:*"]) >= 0
        kinds = {each.kind for each in client.wallets.transactions(PAYER, limit=200)}
        assert {"FUNDING", "PAYMENT"} <= kinds
        assert [*admin.cashback.list()] == []
        assert admin.cashback.balance().accrued == 0
        admin.auth.log_out()
