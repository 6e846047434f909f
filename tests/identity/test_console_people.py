"""The console's pages of people and machines, over a real database."""

from collections.abc import AsyncIterator
from functools import partial
from uuid import uuid4

import httpx
import pytest

from app.contexts.identity.context import IDENTITY
from app.contexts.identity.domain.user import User
from app.kernel.principal import Role
from app.platform.postgres.actions import PostgresActions
from tests.consoles import browsing, log_in
from tests.identity.people import Population

ADDRESS = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"


@pytest.fixture
async def console(people: Population) -> AsyncIterator[httpx.AsyncClient]:
    """A client that alice has logged in; each of its forms has the session's token."""
    assert IDENTITY.pages
    record_of = partial(PostgresActions, people.container.database().url)
    async with browsing(*IDENTITY.pages(people.container, ()), record_of=record_of) as client:
        client.headers["x-token"] = await log_in(client)
        yield client


async def post(client: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    return await client.post(path, data={"csrf": client.headers["x-token"], **fields})


def recorded(people: Population, user: User) -> list[tuple[str, str, str]]:
    """Operator, action and phase of what was recorded of somebody, or ended it."""
    return people.rows(
        "SELECT operator, action, details ->> 'phase' FROM audit.actions WHERE details ->> 'user_id' = %s"
        " OR details ->> 'began_as' IN (SELECT id::text FROM audit.actions WHERE details ->> 'user_id' = %s)"
        " ORDER BY id",
        str(user.id),
        str(user.id),
    )


async def test_somebody_is_found_by_what_names_them_exactly(console: httpx.AsyncClient, people: Population) -> None:
    user = await people.add(email="ada@example.org", username="ada_of_c", wallet_address=ADDRESS)
    for text in (str(user.id).upper(), " ADA@example.org ", "Ada_of_c", ADDRESS.lower()):
        answer = await post(console, "/people/search", text=text, tenant="")
        assert answer.status_code == 303, text
        assert answer.headers["location"] == f"/people/default/{user.id}"
    for text in ("ada", "ada@example", str(uuid4()), "<b>", "a" * 254, "０x"):
        answer = await post(console, "/people/search", text=text, tenant="default")
        assert (answer.status_code, "Nobody goes by exactly that" in answer.text) == (200, True), text
    page = (await console.get(f"/people/default/{user.id}")).text
    for shown in ("ada@example.org", "ada_of_c", ADDRESS, "customer", "a wallet"):
        assert shown in page


async def test_nobody_of_another_tenant_is_shown_on_a_tenants_pages(
    console: httpx.AsyncClient, people: Population
) -> None:
    stranger = await people.add("elsewhere", email="zoe@example.org", username="zoe_there")
    there = f"/people/elsewhere/{stranger.id}"
    assert (await console.get(there)).status_code == 200
    assert (await console.get(f"/people/default/{stranger.id}")).status_code == 404
    assert str(stranger.id) not in (await console.get("/people?tenant=default")).text
    assert str(stranger.id) in (await console.get("/people?tenant=elsewhere")).text
    assert (await post(console, "/people/search", text="zoe_there", tenant="default")).status_code == 200
    assert (await post(console, "/people/search", text="zoe_there", tenant="")).headers["location"] == there
    for what in ("disable", "end-all"):
        assert (await post(console, f"/people/default/{stranger.id}/{what}")).status_code == 404
    assert people.rows("SELECT is_active FROM identity.users WHERE id = %s", stranger.id) == [(True,)]


async def test_two_who_go_by_the_same_are_both_shown(console: httpx.AsyncClient, people: Population) -> None:
    twins = [await people.add(tenant, username="twin") for tenant in ("default", "elsewhere")]
    page = await post(console, "/people/search", text="twin", tenant="")
    assert page.status_code == 200
    for twin, tenant in zip(twins, ("default", "elsewhere"), strict=True):
        assert f"/people/{tenant}/{twin.id}" in page.text


async def test_one_log_in_is_ended_on_record_and_the_others_stand(
    console: httpx.AsyncClient, people: Population
) -> None:
    user = await people.register(email="bob@example.org")
    other = await people.register(email="eve@example.org")
    for _ in range(3):
        await people.container.open_session()(user)
    await people.container.open_session()(other)
    ending, *standing = people.live_families(user)
    (others,) = people.live_families(other)
    here = f"/people/default/{user.id}"
    assert (await console.get(here)).text.count(f'action="{here}/end"') == 3
    assert (await post(console, f"{here}/end", id=str(ending))).headers["location"] == here
    assert people.live_families(user) == standing
    assert (await console.get(here)).text.count(f'action="{here}/end"') == 2
    for unfit in (ending, others, uuid4()):  # ended before, somebody else's, nobody's
        assert (await post(console, f"{here}/end", id=str(unfit))).status_code == 404
    assert people.live_families(other) == [others]
    assert recorded(people, user)[:2] == [("alice", "session end", "begins"), ("alice", "session end", "ended")]
    assert recorded(people, user)[-1] == ("alice", "session end", "failed")
    assert (await post(console, f"{here}/end-all")).status_code == 303
    assert people.live_families(user) == []
    assert recorded(people, user)[-1] == ("alice", "session end-all", "ended")


async def test_somebody_is_disabled_and_enabled_on_record_without_anything_personal(
    console: httpx.AsyncClient, people: Population
) -> None:
    user = await people.register(email="cy@example.org")
    await people.container.open_session()(user)
    here = f"/people/default/{user.id}"
    assert (await post(console, f"{here}/disable")).status_code == 303
    assert people.live_families(user) == []
    assert 'class="badge disabled"' in (await console.get(here)).text
    assert (await post(console, f"{here}/enable")).status_code == 303
    assert people.events(user)[1:] == [("user.disabled", 2), ("user.enabled", 3)]
    assert recorded(people, user) == [
        ("alice", action, phase) for action in ("user disable", "user enable") for phase in ("begins", "ended")
    ]
    people.rows("UPDATE identity.users SET version = 32766 WHERE id = %s", user.id)
    assert (await post(console, f"{here}/disable")).status_code == 303
    too_often = await post(console, f"{here}/enable")
    assert (too_often.status_code, "too often" in too_often.text) == (409, True)
    assert recorded(people, user)[-1] == ("alice", "user enable", "failed")
    assert "cy@example" not in str(people.rows("SELECT details FROM audit.actions"))


async def test_people_are_listed_by_page_role_and_whether_they_are_let_in(
    console: httpx.AsyncClient, people: Population
) -> None:
    many = [await people.add("many", username=f"seller_{nth}", role=Role.SELLER) for nth in range(52)]
    await people.add("many", username="buyer", email="buyer@example.org")
    first = (await console.get("/people?tenant=many&role=seller&active=yes")).text
    assert (first.count("/people/many/"), "buyer" in first) == (50, False)
    older = first.partition("before=")[2].partition('"')[0]
    assert "example.org" not in first  # lists say no more than they have to
    second = (await console.get(f"/people?tenant=many&role=seller&before={older}")).text
    assert [str(user.id) in second for user in many] == [True, True] + [False] * 50
    assert "None" in (await console.get("/people?tenant=many&active=no")).text


async def test_machines_are_listed_without_secrets(console: httpx.AsyncClient, people: Population) -> None:
    added = await people.container.manage_clients().add("default", "<till>", frozenset({"wallet:receive"}))
    page = (await console.get("/machines")).text
    assert added.client_id in page
    assert "&lt;till&gt;" in page
    assert "wallet:receive" in page
    assert added.client_secret not in page
    await people.container.manage_clients().disable("default", added.client_id)
    assert 'class="badge disabled"' in (await console.get("/machines?tenant=default")).text
    for _ in range(51):
        await people.container.manage_clients().add("default", "more", frozenset())
    older = (await console.get("/machines")).text.partition("before=")[2].partition('"')[0]
    assert added.client_id in (await console.get(f"/machines?tenant=default&before={older}")).text


NOBODY = "01890a5d-ac96-774b-bcce-b302099a8057"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/people/default/7", 400),
        (f"/people/default/{NOBODY}", 404),
        (f"/people/nobody/{NOBODY}", 404),
        (f"/people/%00/{NOBODY}", 404),
        ("/people?tenant=nobody", 404),
        ("/people?tenant=%F0%9F%92%A9", 404),
        ("/people?tenant=%27", 404),
        ("/people?role=king", 400),
        ("/people?active=1", 400),
        ("/people?before=1", 400),
        (f"/people?before=9999-12-31T23:59:59-12:00_{NOBODY}", 400),
        ("/people?q=ada", 400),
        (
            "/people/default/01890a5d-ac96-774b-bcce-b302099a8057?before=yesterday_01890a5d-ac96-774b-bcce-b302099a8057",
            400,
        ),
        ("/machines?before=x", 400),
        ("/machines?tenant=nobody", 404),
        ("/machines?secret=1", 400),
    ],
)
async def test_what_is_not_there_or_makes_no_sense_is_said_so(
    console: httpx.AsyncClient, path: str, status: int
) -> None:
    assert (await console.get(path)).status_code == status


async def test_hostile_forms_are_refused(console: httpx.AsyncClient, people: Population) -> None:
    user = await people.add(username="target")
    here = f"/people/default/{user.id}"
    for text in ("", " ", "a" * 255, "a\x00b", "a\nb"):
        assert (await post(console, "/people/search", text=text)).status_code == 400
    assert (await post(console, "/people/search", text="target", tenant="nobody")).status_code == 404
    assert (await console.post("/people/search", data={"text": "target"})).status_code == 403
    for path in ("end", "end-all", "disable", "enable"):
        assert (await console.post(f"{here}/{path}", data={"csrf": "guessed"})).status_code == 403
    for given in ("", "x", "\x00"):
        assert (await post(console, f"{here}/end", id=given)).status_code == 400
    assert recorded(people, user) == []
    assert people.rows("SELECT is_active FROM identity.users WHERE id = %s", user.id) == [(True,)]
