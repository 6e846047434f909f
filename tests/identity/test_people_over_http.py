"""Registering, oneself, and whoever else there is: over HTTP."""

import unicodedata
from typing import Any
from uuid import uuid4

import pytest

from app.kernel.principal import Role
from tests.identity.people import PASSWORD, Population, bearer

MEMBERS = {
    "user_id",
    "username",
    "email",
    "wallet_address",
    "role",
    "first_name",
    "last_name",
    "avatar_url",
    "phone",
    "email_verified",
    "created_at",
    "last_login_at",
}


def registration(email: str = "new@example.org", **members: Any) -> dict[str, Any]:
    return {"email": email, "password": PASSWORD} | members


async def test_whoever_registers_is_a_user_with_what_they_said(people: Population) -> None:
    async with people.client() as client:
        said = registration(" New@Example.org", username="new", first_name=" Ada ", last_name=None, phone="+49 30 123")
        answer = await client.post("/v1/auth/register", json=said | {"role": "seller"})
        assert answer.status_code == 201
        user = answer.json()["user"]
        assert set(user) == MEMBERS
        assert user["email"] == "new@example.org"
        assert (user["username"], user["first_name"], user["last_name"]) == ("new", "Ada", None)
        assert (user["role"], user["phone"], user["email_verified"]) == ("seller", "+49 30 123", False)
        for again, code in (
            (registration("NEW@example.org"), "EMAIL_TAKEN"),
            (registration("new@example.org", username="new"), "EMAIL_TAKEN"),
            (registration("other@example.org", username="new"), "USERNAME_TAKEN"),
        ):
            answer = await client.post("/v1/auth/register", json=again)
            assert (answer.status_code, answer.json()["error"]["code"]) == (409, code)


@pytest.mark.parametrize(
    ("said", "member"),
    [
        ({"password": "password"}, "password"),
        ({"password": "short"}, "password"),
        ({"password": "x" * 257}, "password"),
        ({"password": "nul \0 inside"}, "password"),
        ({"password": None}, "password"),
        ({"email": "nobody"}, "email"),
        ({"email": None}, "email"),
        ({"email": 1}, "email"),
        ({"username": "0xabc"}, "username"),
        ({"username": "Ada"}, "username"),
        ({"username": ""}, "username"),
        ({"first_name": ""}, "first_name"),
        ({"first_name": "a\u0000"}, "first_name"),
        ({"last_name": "x" * 101}, "last_name"),
        ({"phone": "call me"}, "phone"),
        ({"role": "admin"}, "role"),
        ({"role": "Customer"}, "role"),
        ({"avatar_url": "https://a.example/"}, "avatar_url"),
        ({"is_active": True}, "is_active"),
    ],
)
async def test_a_registration_that_is_malformed_says_where(
    people: Population, said: dict[str, Any], member: str
) -> None:
    async with people.client() as client:
        answer = await client.post("/v1/auth/register", json=registration(**said))
    assert answer.status_code == 400
    assert set(answer.json()["error"]["details"]) == {member}


async def test_a_password_of_256_characters_lets_in_however_they_are_written(people: Population) -> None:
    email, password = "composed@example.org", "é" * 256
    as_sent = unicodedata.normalize("NFD", password)
    async with people.client() as client:
        made = await client.post("/v1/auth/register", json=registration(email, password=as_sent))
        assert made.status_code == 201
        for tried, status in ((as_sent, 200), (password, 200), (as_sent + "x", 400)):
            answer = await client.post("/v1/auth/login", json={"email": email, "password": tried})
            assert answer.status_code == status


async def test_nobody_registers_from_a_page_of_another_site(people: Population) -> None:
    async with people.client() as client:
        for path in ("register", "login"):
            answer = await client.post(
                f"/v1/auth/{path}", json=registration("csrf@example.org"), headers={"Origin": "https://evil.example"}
            )
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "ORIGIN_REFUSED")


async def test_one_sees_all_of_oneself_others_see_a_name_and_admins_see_who_is_active(people: Population) -> None:
    ada = await people.add(email="seen@example.org", username="seen", phone="12345")
    admin = await people.add(email="admin@example.org", role=Role.ADMIN)
    other = await people.add(email="other-one@example.org")
    async with people.client() as client:
        me = (await client.get("/v1/auth/me", headers=bearer(ada))).json()["user"]
        assert set(me) == MEMBERS
        public = {"user_id": str(ada.id), "username": "seen", "role": "customer"}
        for asker in (ada, other):
            found = await client.get(f"/v1/users/{ada.id}", headers=bearer(asker))
            assert found.json() == {"user": public}
        found = await client.get(f"/v1/users/{ada.id}", headers=bearer(admin))
        assert found.json() == {"user": me | {"is_active": True}}
        nobody = await client.get(f"/v1/users/{uuid4()}", headers=bearer(admin))
        elsewhere = await people.add("far", email="far@example.org")
        foreign = await client.get(f"/v1/users/{elsewhere.id}", headers=bearer(admin))
        assert (nobody.status_code, nobody.content) == (foreign.status_code, foreign.content)
        assert nobody.status_code == 404
        assert (await client.get("/v1/users/ada", headers=bearer(ada))).status_code == 400
        assert (await client.get(f"/v1/users/{ada.id}")).status_code == 401


async def test_admins_read_all_users_of_their_tenant_by_pages_that_belong_to_their_filters(people: Population) -> None:
    admin = await people.add("list", username="admin", role=Role.ADMIN)
    for n in range(5):
        await people.add("list", username=f"seller{n}", role=Role.SELLER)
    async with people.client() as client:
        client.base_url = "http://list.test"

        async def page(**asked: Any) -> Any:
            return await client.get("/v1/users", params=asked, headers=bearer(admin))

        everybody = (await page()).json()
        assert [user["username"] for user in everybody["users"]] == [f"seller{n}" for n in range(4, -1, -1)] + ["admin"]
        assert everybody["next_cursor"] is None
        assert set(everybody["users"][0]) == MEMBERS | {"is_active"}
        first = (await page(role="seller", limit=3)).json()
        rest = (await page(role="seller", limit=3, cursor=first["next_cursor"])).json()
        assert [user["username"] for user in first["users"] + rest["users"]] == [f"seller{n}" for n in range(4, -1, -1)]
        for asked in ({}, {"role": "admin"}, {"role": "seller", "q": "s"}, {"role": "seller", "is_active": "true"}):
            answer = await page(**asked, cursor=first["next_cursor"])
            assert (answer.status_code, set(answer.json()["error"]["details"])) == (400, {"cursor"})
        for wrong in (
            {"role": "x"},
            {"is_active": "1"},
            {"q": ""},
            {"q": "\0"},
            {"limit": 0},
            {"limit": 201},
            {"x": 1},
        ):
            assert (await page(**wrong)).status_code == 400
        assert [user["username"] for user in (await page(q="SELLER3")).json()["users"]] == ["seller3"]


async def test_only_admins_list_and_change_users(people: Population) -> None:
    admin = await people.add(username="chief", role=Role.ADMIN)
    user = await people.add(username="underling")
    await people.container.open_session()(user)
    async with people.client() as client:
        for asker, status in ((user, 403), (admin, 200)):
            assert (await client.get("/v1/users", headers=bearer(asker))).status_code == status
            changed = await client.patch(f"/v1/users/{user.id}", json={"role": "seller"}, headers=bearer(asker))
            assert changed.status_code == status
        assert changed.json()["user"]["role"] == "seller"
        off = await client.patch(f"/v1/users/{user.id}", json={"is_active": False}, headers=bearer(admin))
        assert off.json()["user"]["is_active"] is False
        assert people.live_families(user) == []
        assert (await client.get("/v1/auth/me", headers=bearer(user))).status_code == 401
        wrong: tuple[Any, ...] = (
            {"role": None},
            {"is_active": None},
            {"is_active": "no"},
            {"email": "x@example.org"},
            [],
        )
        for said in wrong:
            answer = await client.patch(f"/v1/users/{user.id}", json=said, headers=bearer(admin))
            assert answer.status_code == 400
        gone = await client.patch(f"/v1/users/{uuid4()}", json={"role": "seller"}, headers=bearer(admin))
        assert gone.status_code == 404
    assert people.events(user) == [("user.registered", 1), ("user.disabled", 2)]
