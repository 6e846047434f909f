"""What people change of themselves, over HTTP."""

from typing import Any
from uuid import uuid4

import pytest

from tests.identity.people import PASSWORD, Population, bearer


async def test_what_is_left_out_stays_and_null_clears(people: Population) -> None:
    user = await people.add(email="patch@example.org", username="patch", first_name="Ada", phone="12345")
    async with people.client() as client:

        async def patched(said: dict[str, Any]) -> dict[str, Any]:
            answer = await client.patch("/v1/auth/me", json=said, headers=bearer(user))
            assert answer.status_code == 200, answer.text
            found: dict[str, Any] = answer.json()["user"]
            return found

        before = await patched({})
        assert (before["first_name"], before["phone"], before["username"]) == ("Ada", "12345", "patch")
        after = await patched({"first_name": None, "last_name": "  Lovelace ", "avatar_url": "https://a.example/x"})
        assert after == before | {"first_name": None, "last_name": "Lovelace", "avatar_url": "https://a.example/x"}
        cleared = await patched({"username": None, "phone": None, "avatar_url": None, "last_name": None})
        assert cleared == before | {"first_name": None, "username": None, "phone": None}
        assert (await patched({"email": "PATCH@example.org"}))["email"] == "patch@example.org"


@pytest.mark.parametrize(
    ("said", "member"),
    [
        ({"email": None}, "email"),
        ({"email": "second@example.org"}, "email"),
        ({"password": None}, "password"),
        ({"password": "another song"}, "current_password"),
        ({"password": "password", "current_password": PASSWORD}, "password"),
        ({"current_password": PASSWORD}, "current_password"),
        ({"message": "m"}, "signature"),
        ({"signature": "0x"}, "message"),
        ({"message": "m", "signature": "0x"}, "message"),
        ({"avatar_url": "http://a.example/"}, "avatar_url"),
        ({"username": "0xdead"}, "username"),
        ({"role": "admin"}, "role"),
        ({"wallet_address": "0x"}, "wallet_address"),
        ({"email_verified": True}, "email_verified"),
    ],
)
async def test_a_change_that_cannot_be_says_where(people: Population, said: dict[str, Any], member: str) -> None:
    user = await people.register(email=f"{uuid4().hex}@example.org")
    async with people.client() as client:
        answer = await client.patch("/v1/auth/me", json=said, headers=bearer(user))
    assert answer.status_code == 400, answer.text
    assert set(answer.json()["error"]["details"]) == {member}


async def test_with_a_new_password_all_other_log_ins_end(people: Population) -> None:
    user = await people.register(email="renew@example.org")
    for _ in range(3):
        await people.container.open_session()(user)
    mine = people.live_families(user)[1]
    async with people.client() as client:
        wrong = {"password": "another song", "current_password": "wrong"}
        answer = await client.patch("/v1/auth/me", json=wrong, headers=bearer(user, mine))
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FORBIDDEN")
        assert len(people.live_families(user)) == 3
        right = wrong | {"current_password": PASSWORD}
        assert (await client.patch("/v1/auth/me", json=right, headers=bearer(user, mine))).status_code == 200
        assert people.live_families(user) == [mine]
        for password, status in (("another song", 200), (PASSWORD, 401)):
            body = {"email": user.email, "password": password}
            assert (await client.post("/v1/auth/login", json=body)).status_code == status


async def test_whoever_came_with_a_wallet_gets_an_email_and_a_password_once(people: Population) -> None:
    user = await people.add(wallet_address="0x" + "ab" * 20)
    await people.add(email="others@example.org")
    async with people.client() as client:

        async def patch(said: dict[str, Any]) -> int:
            return (await client.patch("/v1/auth/me", json=said, headers=bearer(user))).status_code

        assert await patch({"password": "another song"}) == 400
        assert await patch({"email": "others@example.org"}) == 409
        assert await patch({"email": "wallet@example.org", "password": "another song"}) == 200
        assert await patch({"email": "again@example.org"}) == 400
        body = {"email": "wallet@example.org", "password": "another song"}
        assert (await client.post("/v1/auth/login", json=body)).status_code == 200
