"""A database that has fallen silent in the midst of a run is not waited for without end."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from app.contexts.reconciliation.adapters.postgres import books
from app.main.local.roles import Urls
from tests.api_harness import error
from tests.reconciliation.desk import Desk, Row, desk_over, line, report
from tests.system.crash.deeds import COMMITTED
from tests.system.crash.dialects import Postgres
from tests.system.crash.proxy import Proxy, Then
from tests.system.crash.reports import COMMIT

CONNECTIONS = 2
"""As many as are there for runs."""


@pytest.fixture
def proxy(module_database: Urls) -> Iterator[Proxy]:
    with closing(Proxy(int(conninfo_to_dict(module_database.app_url)["port"] or 0), Postgres)) as proxy:
        yield proxy


@pytest.fixture
def far_desk(module_database: Urls, superuser_url: str, proxy: Proxy) -> Iterator[Desk]:
    """A desk whose database is behind the proxy."""
    app_url = make_conninfo(module_database.app_url, port=proxy.port, sslmode="disable")
    with desk_over(Urls(module_database.owner_url, app_url), superuser_url) as desk:
        yield desk


def test_a_server_that_falls_silent_costs_no_connection_for_good(
    far_desk: Desk, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(books, "LONGEST_S", 1.0)
    reports = [report(line(Row(far_desk.tenant))) for _ in range(CONNECTIONS + 1)]
    for body in reports[:CONNECTIONS]:
        with proxy.trap(COMMIT, Then.SWALLOW_ANSWERS, COMMITTED) as trap:
            error(far_desk.post(body), 503, "UNAVAILABLE")
            trap.wait_for_the_answer()
    monkeypatch.undo()
    runs = [far_desk.run(body)["reconciliation_id"] for body in reports]
    assert far_desk.query("SELECT count(*) FROM reconciliation.runs WHERE id = ANY(%s::uuid[])", runs) == [(3,)]
