"""Users in the database: what is unique of them, what is told of them, and what ends with them."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest

from app.contexts.identity.application.ports import Filters
from app.contexts.identity.domain.account import Account, Change, EventType, NewUser, told
from app.contexts.identity.domain.refusals import AddressTaken, EmailTaken, IdTaken, UsernameTaken, UserNotFound
from app.kernel.ids import UserId
from app.kernel.principal import Role
from app.platform.process.uuid7 import uuid7
from tests.identity.people import Population

ADDRESS = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"


async def test_a_user_is_found_by_all_that_tells_one_apart(people: Population) -> None:
    user = await people.add(email="found@example.org", username="found", wallet_address=ADDRESS, role=Role.SELLER)
    users, tenant = people.container.users(), user.tenant_id
    for found in (
        await users.by_id(tenant, user.id),
        await users.by_email(tenant, "found@example.org"),
        await users.by_address(tenant, ADDRESS),
    ):
        assert found == Account(user, None, 1)
    for ids, texts in (([user.id], []), ([], ["found"]), ([uuid4()], ["nobody", ADDRESS])):
        assert await users.called(tenant, ids, texts) == [user]
    assert await users.by_id(tenant, uuid4()) is None
    assert people.events(user) == [("user.registered", 1)]


async def test_what_somebody_has_nobody_else_of_the_tenant_gets(people: Population) -> None:
    taken = {"email": "taken@example.org", "username": "taken", "wallet_address": ADDRESS.lower()}
    user = await people.add(**taken)
    refusals = {"email": EmailTaken, "username": UsernameTaken, "wallet_address": AddressTaken}
    for member, refusal in refusals.items():
        with pytest.raises(refusal):
            await people.add(**{member: taken[member]})
    with pytest.raises(IdTaken):
        await people.container.users().add(user.tenant_id, [NewUser(id=user.id, tenant_id=user.tenant_id)])
    elsewhere = await people.add("another-house", **taken)
    assert elsewhere.email == user.email


async def test_all_of_several_are_added_or_none(people: Population) -> None:
    users, tenant = people.container.users(), await people.tenant()
    fresh = [NewUser(id=UserId(uuid4()), tenant_id=tenant, email=f"many{n}@example.org") for n in range(1_200)]
    with pytest.raises(EmailTaken):
        await users.add(tenant, [*fresh, replace(fresh[0], id=UserId(uuid4()))])
    assert not (await users.taken(tenant, fresh)).emails
    added = await users.add(tenant, fresh)
    assert [user.email for user in added] == [user.email for user in fresh]
    assert len((await users.taken(tenant, fresh)).ids) == 1_200


async def test_of_fifty_who_want_one_username_at_once_one_gets_it(people: Population) -> None:
    wanting = [people.add(username="wanted") for _ in range(50)]
    outcomes = await asyncio.gather(*wanting, return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, UsernameTaken)]
    assert len(refused) == 49


async def test_what_happens_to_a_user_is_told_in_its_order_and_ends_what_it_ends(people: Population) -> None:
    user = await people.add(email="ends@example.org")
    for _ in range(3):
        await people.container.open_session()(user)
    kept, *_ = people.live_families(user)
    change = people.container.users().change

    await change(user.tenant_id, user.id, lambda account: Change(account, (), kept))
    assert people.live_families(user) == [kept]
    changing = people.container.change_user()
    for is_active in (False, False, True, False):
        changed = await changing(user.tenant_id, user.id, is_active=is_active)
        assert changed.is_active is is_active
    assert people.live_families(user) == []
    linked = EventType.ADDRESS_LINKED
    await change(user.tenant_id, user.id, lambda account: Change(told(account, linked), (linked,)))
    assert people.events(user) == [
        ("user.registered", 1),
        ("user.disabled", 2),
        ("user.enabled", 3),
        ("user.disabled", 4),
        ("user.address_linked", 5),
    ]


async def test_a_change_that_is_refused_changes_nothing(people: Population) -> None:
    first, second = await people.add(username="first"), await people.add(username="second")
    changing = people.container.users().change
    with pytest.raises(UsernameTaken):
        await changing(
            second.tenant_id,
            second.id,
            lambda account: Change(replace(account, user=replace(account.user, username="first", phone="12345"))),
        )
    found = await people.container.users().by_id(second.tenant_id, second.id)
    assert found is not None
    assert (found.user.username, found.user.phone) == ("second", None)
    with pytest.raises(UserNotFound):
        await changing(first.tenant_id, uuid4(), Change)


async def test_pages_follow_each_other_without_gap_or_repetition(people: Population) -> None:
    tenant = await people.tenant("pages")
    users = people.container.users()
    await users.add(
        tenant,
        [
            NewUser(
                id=UserId(uuid7()),
                tenant_id=tenant,
                email=f"p{n:03}@example.org",
                role=Role.SELLER if n % 2 else Role.CUSTOMER,
                is_active=n % 3 > 0,
                first_name="Ærnst" if n == 7 else None,
            )
            for n in range(30)
        ],
    )
    reading, seen, at = people.container.read_users(), list[str | None](), None
    while True:
        page = await reading.page(tenant, Filters(), at, 7)
        seen += [user.email for user in page.users]
        if (at := page.next) is None:
            break
    assert len(seen) == len(set(seen)) == 30
    sellers = await users.page(tenant, Filters(role=Role.SELLER, is_active=False), None, 50)
    assert {user.email for user in sellers} == {f"p{n:03}@example.org" for n in (3, 9, 15, 21, 27)}
    for text, numbers in {"P01": {*range(10, 20)}, "RNST": {7}, "nobody": set()}.items():
        found = await users.page(tenant, Filters(text=text), None, 50)
        assert {user.email for user in found} == {f"p{n:03}@example.org" for n in numbers}
    (by_id,) = await users.page(tenant, Filters(text=str(found[0].id if found else sellers[0].id)), None, 50)
    assert by_id.email == sellers[0].email
