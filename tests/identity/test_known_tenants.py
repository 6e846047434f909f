"""Which tenants there are is asked for by one, for all who wait; where nobody says, nobody waits for long."""

import asyncio
import time
from collections.abc import Sequence

import pytest

from app.contexts.identity.application import known_tenants
from app.contexts.identity.application.known_tenants import OLDEST_S, KnownTenants
from app.contexts.identity.domain.tenant import DEFAULT, Tenant
from app.kernel.errors import Unavailable
from app.kernel.ids import UserId
from app.kernel.principal import TenantId
from app.platform.process.uuid7 import uuid7
from tests.pace import slow


class Register:
    """Says which there are, or nothing, as long as it is silent; or that it cannot."""

    def __init__(self) -> None:
        self.tenant = Tenant(TenantId(uuid7()), DEFAULT, None, UserId(uuid7()))
        self.asked = 0
        self.speaks = asyncio.Event()
        self.is_away = False

    async def all(self) -> Sequence[Tenant]:
        self.asked += 1
        if self.is_away:
            await asyncio.sleep(0)
            raise Unavailable("it is away")
        await self.speaks.wait()
        return [self.tenant]


async def test_all_who_wait_are_answered_by_one_question() -> None:
    register = Register()
    known = KnownTenants(register)  # type: ignore[arg-type] # of which it asks for nothing else
    asking = [asyncio.create_task(known.of_host("shop.example")) for _ in range(50)]
    await asyncio.sleep(0)
    register.speaks.set()
    assert set(await asyncio.gather(*asking)) == {register.tenant.id}
    assert register.asked == 1


async def test_all_who_wait_for_one_who_says_nothing_give_up_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_tenants, "WITHIN_S", OLDEST_S)  # as it is: here it is tested
    register = Register()
    known = KnownTenants(register)  # type: ignore[arg-type]
    began = time.monotonic()
    ended = await asyncio.gather(*(known.of_host("a") for _ in range(50)), return_exceptions=True)
    assert {type(each) for each in ended} == {Unavailable}
    assert time.monotonic() - began < slow(2 * OLDEST_S)
    register.speaks.set()
    assert await known.of_host("a") == register.tenant.id


@pytest.mark.parametrize("waiting", [1, 50])
async def test_who_cannot_say_is_asked_once_for_all_who_wait(waiting: int) -> None:
    register = Register()
    register.is_away = True
    known = KnownTenants(register)  # type: ignore[arg-type]
    ended = await asyncio.gather(*(known.of_host("a") for _ in range(waiting)), return_exceptions=True)
    assert {type(each) for each in ended} == {Unavailable}
    assert register.asked == 1
    register.is_away = False
    register.speaks.set()
    assert await known.of_host("a") == register.tenant.id
