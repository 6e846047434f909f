"""What payments bring into the house."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.contexts.payments.adapters.postgres.tables import PAYMENTS as TABLES
from app.contexts.payments.public import EVENTS
from app.contexts.payments.settings import PaymentsSettings
from app.kernel.topology import Publication
from app.platform.context import Context, Http, Recovery, StandIn
from app.platform.process.settings import Settings

if TYPE_CHECKING:
    from app.contexts.payments.container import PaymentsContainer
    from app.platform.console.page import Page
    from app.platform.http.operations import Operation
    from app.platform.metrics.gauges import Look
    from app.platform.operations.health import Part
    from app.platform.people import People
    from app.platform.postgres.database import Database
    from app.platform.postgres.evidence import Checks
    from app.platform.postgres.evidence import Database as Evidence
    from app.platform.process.wiring import Platform


def _container(platform: "Platform", database: "Database", around: Mapping[str, Any]) -> "PaymentsContainer":
    from app.contexts.payments.container import make

    return make(platform, database, around)


def _payment_queries() -> object:
    from app.contexts.payments.adapters.postgres.for_funds import PAYMENT_QUERIES

    return PAYMENT_QUERIES


def _operations(container: "PaymentsContainer", http: Http) -> "Sequence[Operation]":
    from app.contexts.payments.adapters.http.operations import operations
    from app.contexts.payments.adapters.http.refunds import Refunds
    from app.contexts.payments.adapters.http.v1_payments import Payments
    from app.platform.process.uuid7 import uuid7
    from app.platform.tenants import TenantOfKeys

    of_keys, pay = TenantOfKeys(http.people), container.pay()
    offered = operations(pay, uuid7, http.in_flight, http.currencies, http.timeout_s, of_keys)
    if http.people is None:
        return offered
    read = container.read_payments(of_keys)
    payments = Payments(pay=pay, read=read, keys=container.request_keys(), ids=uuid7, http=http)
    refunds = Refunds(refund=container.refund_payment(), read=read, ids=uuid7, http=http)
    return [*offered, *payments.operations(), *refunds.operations()]


def _serving(container: "PaymentsContainer") -> "AbstractAsyncContextManager[Sequence[Look]]":
    from app.contexts.payments.processes import serving

    return serving(container)


def _recovery(container: "PaymentsContainer", _: "People | None") -> Recovery:
    from app.contexts.payments.processes import recovery

    return recovery(container)


def _pages(container: "PaymentsContainer", api_urls: Sequence[str]) -> "Sequence[Page]":
    from app.contexts.payments.console import pages

    return pages(container, api_urls)


def _checks(settings: Settings, database: "Evidence") -> "Checks":
    from app.contexts.payments.adapters.operations.checks import checks_of_payments

    own = settings.of(PaymentsSettings)
    return checks_of_payments(database, own.gateway_url, settings.outbox_retention_h, settings.idempotency_ttl_h)


def _parts(settings: Settings, url: str) -> "Sequence[Part]":
    from app.contexts.payments.adapters.operations.parts import parts_of_payments

    return parts_of_payments(url, settings.of(PaymentsSettings).gateway_url, settings.recover_after_s)


def _of_the_mock_gateway(settings: Settings, folder: Path) -> Mapping[str, str]:
    # It remembers its charges as the books do, from run to run.
    mode = settings.of(PaymentsSettings).mock_gateway_mode
    return {"MOCK_GATEWAY_MODE": mode, "MOCK_GATEWAY_JOURNAL": str(folder / "gateway.journal")}


PAYMENTS = Context["PaymentsContainer"](
    name="payments",
    needs=("funds",),
    settings=PaymentsSettings,
    shares_database=True,
    tables=TABLES,
    container=_container,
    gives={("funds", "payment_queries"): _payment_queries},
    operations=_operations,
    publication=Publication("payments", EVENTS),
    required=("gateway_url",),
    serving=_serving,
    recovery=_recovery,
    stand_ins=(
        StandIn(
            name="gateway",
            setting="GATEWAY_URL",
            port="MOCK_GATEWAY_PORT",
            default_port=8081,
            command=("-m", "mock_gateway"),
            ready="/health",
            environment=_of_the_mock_gateway,
        ),
    ),
    commands={
        "provider": "app.contexts.payments.adapters.cli.provider",
        "payment": "app.contexts.payments.adapters.cli.payment",
        "payments": "app.contexts.payments.adapters.cli.payment",
        "refund": "app.contexts.payments.adapters.cli.refund",
        "refunds": "app.contexts.payments.adapters.cli.refund",
    },
    pages=_pages,
    checks=_checks,
    parts=_parts,
)
