"""Nobody is looked for by reading everybody: the plans of the statements about users, as a service gets them."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from app.contexts.identity.adapters.postgres import statements
from app.main.local.roles import Urls
from app.platform.postgres.pipeline import Statement
from tests.identity.people import Population
from tests.plans import plan_of

MANY = 20_000


@pytest.fixture(scope="module")
def crowd(people: Population) -> UUID:
    """A tenant with many users, beside another with as many."""
    first, _ = (
        people.rows(
            "INSERT INTO identity.tenants (id, name, house_user_id)"
            " VALUES (gen_random_uuid(), %s, gen_random_uuid()) RETURNING id",
            name,
        )[0][0]
        for name in ("crowd", "crowd-2")
    )
    people.rows(
        "INSERT INTO identity.users (tenant_id, id, role, username, email, wallet_address, created_at)"
        " SELECT t.id, gen_random_uuid(), 'customer', 'user' || n, n || '@example.org', '0x' || lpad(n::text, 40, '0'),"
        " now() - n * interval '1 s'"
        f" FROM identity.tenants t, generate_series(1, {MANY}) n WHERE t.name LIKE 'crowd%%'",
        *(),
    )
    people.rows("ANALYZE identity.users")
    assert isinstance(first, UUID)
    return first


@pytest.mark.parametrize(
    ("statement", "key", "index"),
    [
        (statements.BY_ID, uuid4(), "users_pkey"),
        (statements.LOCK, uuid4(), "users_pkey"),
        (statements.SOME, [uuid4()], "users_pkey"),
        (statements.BY_EMAIL, "1@example.org", "users_email_key"),
        (statements.SOME_BY_USERNAME, ["user1"], "users_username_key"),
        (statements.BY_ADDRESS, "0x1", "users_wallet_address_key"),
        (statements.SOME_BY_ADDRESS, ["0x1"], "users_wallet_address_key"),
    ],
)
def test_one_is_found_by_the_key_that_tells_one_apart(
    module_database: Urls, crowd: UUID, statement: Statement, key: object, index: str
) -> None:
    plan = plan_of(module_database.app_url, "force_generic_plan", statement.text, [crowd, key])
    assert f"Index Scan using {index}" in plan
    assert "Seq Scan" not in plan


def test_a_page_is_read_along_its_index_and_sorts_nothing(module_database: Urls, crowd: UUID) -> None:
    before = (datetime(9999, 12, 31, tzinfo=UTC), UUID(int=2**128 - 1))
    values = [None, None, None, None, "", crowd, *before, 51]
    plan = plan_of(module_database.app_url, "force_generic_plan", statements.PAGE.text, values)
    assert "Index Scan using users_newest_first" in plan
    assert "Sort" not in plan
    assert "Seq Scan" not in plan


def test_what_is_taken_is_looked_for_by_its_keys(module_database: Urls, crowd: UUID) -> None:
    values = [crowd, [uuid4()], ["1@example.org"], ["user1"], ["0x1"]]
    plan = plan_of(module_database.app_url, "force_generic_plan", statements.TAKEN.text, values)
    assert "Seq Scan" not in plan
