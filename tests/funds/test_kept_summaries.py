"""What operators see of a wallet is some seconds old at the most, and no older than what funds did."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.contexts.funds.adapters.cache.summaries import KeptStandings, forgetting
from app.contexts.funds.application.reconcile import Standing, Standings
from app.contexts.funds.domain.ids import TransactionId
from app.contexts.funds.domain.ledger import Kind, Transaction, TransactionStatus
from app.kernel.errors import Unavailable
from app.kernel.ids import UserId
from app.kernel.principal import TenantId
from app.platform.tenants import KnownTenants
from tests.builders import money
from tests.fakes.people import FakePeople
from tests.platform.cache.sharing import Process, comes, processes
from tests.platform.redis_fixtures import redis_url

__all__ = ["redis_url"]

AT = datetime(2026, 1, 31, tzinfo=UTC)


class Counting(Standings):
    """A wallet whose balance is how often it was looked at."""

    def __init__(self) -> None:
        self.looks = 0

    async def standings(self, user_id: UUID) -> Sequence[Standing]:
        self.looks += 1
        return [Standing("USD", self.looks, 1, AT, self.looks, 1, self.looks, 0, 0, 0, 0, 0)]


TENANT = TenantId(uuid4())


async def tenant_of(_: UUID) -> TenantId | None:
    return TENANT


async def nobodys(_: UUID) -> TenantId | None:
    return None


async def kept(
    process: Process, user_id: UUID, tenant_of: Callable[[UUID], Awaitable[TenantId | None]] = tenant_of
) -> tuple[KeptStandings, Counting]:
    """A user's standings, once Redis keeps them."""
    counting = Counting()
    standings = KeptStandings(counting, process.cache, tenant_of)

    async def is_kept() -> bool:
        before = counting.looks
        await standings.standings(user_id)
        return counting.looks == before > 0

    await comes(is_kept)
    return standings, counting


@pytest.mark.parametrize("whose", [tenant_of, nobodys], ids=["a tenant's", "nobody's"])
async def test_what_was_added_up_is_kept_and_what_funds_commit_ends_it(redis_url: str, whose: Any) -> None:
    user, told = UserId(uuid4()), list[Sequence[Transaction]]()
    async with processes(redis_url, redis_url) as (console, api):
        standings, counting = await kept(console, user, whose)
        first = await standings.standings(user)
        assert [standing.balance for standing in first] == [counting.looks]
        moved = Transaction(
            TransactionId(uuid4()), user, Kind.TRANSFER_IN, TransactionStatus.COMPLETED, money(5), (), AT  # type: ignore[arg-type]
        )  # fmt: skip
        committed = forgetting(api.cache, told.append)
        committed([moved, moved])

        async def is_new() -> bool:
            return list(await standings.standings(user)) != list(first)

        await comes(is_new)
    assert told == [[moved, moved]]


async def test_a_tenants_admin_has_it_forgotten_and_another_tenants_does_not(redis_url: str) -> None:
    user = uuid4()
    async with processes(redis_url, redis_url) as (console, api):
        standings, counting = await kept(console, user)
        for tenant_id, keys in ((TenantId(uuid4()), 0), (TENANT, 1)):
            assert await api.cache.delete_counted(tenant_id, [f"wallet:{user}"]) == keys
        before = counting.looks
        await standings.standings(user)
        assert counting.looks == before + 1
        await kept_again(standings, counting, user)
        assert await api.cache.delete_matching(TENANT, [f"wallet:{user}*"]) == 1


async def kept_again(standings: KeptStandings, counting: Counting, user: UUID) -> None:
    """Wait until Redis keeps it."""

    async def is_kept() -> bool:
        before = counting.looks
        await standings.standings(user)
        return counting.looks == before

    await comes(is_kept)


async def test_where_it_cannot_be_known_whose_a_user_is_nothing_is_kept(redis_url: str) -> None:
    async def away(_: UUID) -> TenantId | None:
        raise Unavailable("people are away")

    user, counting = uuid4(), Counting()
    async with processes(redis_url) as (console,):
        standings = KeptStandings(counting, console.cache, away)
        assert [(await standings.standings(user))[0].balance for _ in range(3)] == [1, 2, 3]


async def test_a_user_is_of_one_tenant_or_of_nobody() -> None:
    people = FakePeople()
    known = KnownTenants(people.ports)
    ada, bob = people.user("ada"), people.user("bob", tenant=people.other_tenant)
    assert [await known.of_user(each.id) for each in (ada, bob)] == [people.tenant, people.other_tenant]
    assert await known.of_user(people.houses[1].house_user_id) == people.other_tenant
    assert await known.of_user(uuid4()) is None
    assert await KnownTenants(None).of_user(ada.id) is None
