"""The gauges of what nobody has looked into yet."""

from prometheus_client import CollectorRegistry

from app.contexts.reconciliation.adapters.metrics.findings import Unresolved
from app.contexts.reconciliation.adapters.postgres.figures import PostgresFigures
from app.main.local.roles import Urls
from app.platform.postgres.plans import make_planned_pool
from app.platform.postgres.tenancy import TenantRows
from tests.reconciliation.desk import NEXT, Desk, Row, at, line, report


async def test_they_show_each_tenants_findings_and_how_far_days_are_closed(desk: Desk, module_database: Urls) -> None:
    registry = CollectorRegistry()
    async with make_planned_pool(module_database.app_url, "test", 1) as pool:
        look = Unresolved(PostgresFigures(TenantRows(pool), pool), desk.people, registry).look

        def shown(name: str) -> float | None:
            return registry.get_sample_value(f"strongbox_reconciliation_{name}", {"tenant": "default"})

        await look()
        assert shown("findings_unresolved") == 0
        assert shown("reconciled_until_timestamp_seconds") == 0
        desk.run(report(line(Row(desk.tenant)), line(Row(desk.tenant))))
        run = desk.run(report(line(Row(desk.tenant))), NEXT)
        await look()
        assert (shown("findings_unresolved"), shown("dates_unresolved")) == (3, 2)
        until = shown("reconciled_until_timestamp_seconds")
        assert until is not None
        assert at(NEXT).timestamp() < until < at(NEXT).timestamp() + 86_400
        (one,) = desk.findings(run)
        desk.resolve(one["finding_id"])
        await look()
        assert (shown("findings_unresolved"), shown("dates_unresolved")) == (2, 1)
