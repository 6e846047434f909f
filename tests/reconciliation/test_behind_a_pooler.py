"""One session of the server for everybody: a run leaves nothing in it, and sees one tenant's rows alone."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from app.kernel.principal import Role
from app.main.local.postgres import PostgresServer
from app.main.local.roles import Urls
from tests.pgbouncer import pgbouncer
from tests.reconciliation.desk import Desk, Row, desk_over, line, report


@pytest.fixture
def pooled(
    database: Urls, postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Desk, str]]:
    """The desk through a pooler, and the service's own way through it."""
    folder = tmp_path_factory.mktemp("pooler")
    folder.chmod(0o755)
    superuser_url = postgres_server.url(str(conninfo_to_dict(database.app_url)["dbname"]))
    with pgbouncer(folder, database.app_url, sessions=1) as (url,), desk_over(Urls(url, url), superuser_url) as desk:
        yield desk, url


def test_two_tenants_reports_alternate_over_one_session(pooled: tuple[Desk, str]) -> None:
    desk, url = pooled
    stranger = desk.people.user(role=Role.ADMIN, tenant=desk.people.other_tenant)
    for nth in range(1, 6):
        mine, theirs = Row(desk.tenant, amount=nth), Row(desk.people.other_tenant, amount=nth)
        desk.put([mine, theirs])
        body = report(line(mine), line(theirs, amount=99))
        ours, other = desk.run(body), desk.run(body, who=stranger)
        assert (ours["lines"], ours["matched"], ours["findings"]) == (1, 1, 0)
        assert (other["lines"], other["matched"], other["findings"]) == (1, 0, 1)
        assert desk.findings(ours) == []
        assert [one["payment_id"] for one in desk.findings(other, stranger)] == [str(theirs.id)]
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as session:
        left = session.execute("SELECT count(*) FROM pg_class WHERE relname LIKE 'report\\_%' AND relpersistence = 't'")
        assert left.fetchone() == (0,)
        limits = session.execute("SELECT current_setting('statement_timeout'), current_setting('work_mem')").fetchone()
        assert limits is not None
        assert limits[1] != "128MB"
