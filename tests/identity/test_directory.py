"""Finding people, for others, and knowing whose host it is."""

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from uuid import uuid4

from app.contexts.identity.application.known_tenants import OLDEST_S, KnownTenants
from app.contexts.identity.domain.tenant import Tenant
from app.kernel.errors import Unavailable
from app.platform.asked_together import AskedTogether
from app.platform.eip55 import checksummed
from tests.identity.people import Population

ADDRESS = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
OF_THE_STANDARD = (
    ADDRESS,
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0xde709f2102306220921060314715629080e2fb77",
)
"""The examples of EIP-55."""


def test_addresses_are_spelled_as_the_standard_spells_its_examples() -> None:
    for address in OF_THE_STANDARD:
        assert checksummed(address.lower()) == address
        assert checksummed("0X" + address[2:].upper()) == address


async def test_somebody_is_found_by_id_username_and_address_however_it_is_written(people: Population) -> None:
    user = await people.add(username="direct", wallet_address=ADDRESS)
    directory, tenant = people.container.directory(), user.tenant_id
    spelled = (str(user.id), str(user.id).upper(), "direct", ADDRESS, ADDRESS.lower(), "0X" + ADDRESS[2:].upper())
    for text in spelled:
        found = await directory.resolve(tenant, text)
        assert found == (user.id, "direct"), text
    nobody = (
        "",
        "Direct",
        "direct ",
        user.id.hex,
        f"{{{user.id}}}",
        ADDRESS[:-1],
        "nobody",
        str(uuid4()),
        "\0",
        "é" * 3,
    )
    for text in nobody:
        assert await directory.resolve(tenant, text) is None, text


async def test_nobody_is_found_who_is_disabled_or_of_another_tenant(people: Population) -> None:
    user = await people.add("directory", username="elsewhere")
    directory = people.container.directory()
    assert await directory.resolve(await people.tenant(), "elsewhere") is None
    assert await directory.resolve(await people.tenant(), str(user.id)) is None
    assert await directory.disabled(user.tenant_id, [user.id]) == set()
    await people.container.change_user()(user.tenant_id, user.id, is_active=False)
    assert await directory.resolve(user.tenant_id, "elsewhere") is None
    assert await directory.disabled(user.tenant_id, [user.id, uuid4()]) == {user.id}
    # What they were called still stands beside what they did.
    assert await directory.names(user.tenant_id, [user.id]) == {user.id: (user.id, "elsewhere")}


async def test_names_are_those_of_the_tenant(people: Population) -> None:
    named, unnamed, foreign = await people.add(username="named"), await people.add(), await people.add("directory")
    directory = people.container.directory()
    found = await directory.names(named.tenant_id, {named.id, unnamed.id, foreign.id, uuid4()})
    assert found == {named.id: (named.id, "named"), unnamed.id: (unnamed.id, None)}
    assert await directory.names(named.tenant_id, ()) == {}


async def test_every_tenant_has_somebody_to_whom_fees_are_booked(people: Population) -> None:
    await people.tenant("fees")
    rows = people.rows("SELECT id, house_user_id, name FROM identity.tenants ORDER BY created_at, id")
    assert [*await people.container.directory().tenants()] == rows
    assert len({house for _, house, _ in rows}) == len(rows)


class Counted:
    """The tenants of a database, and how often they were asked for."""

    def __init__(self, people: Population) -> None:
        self._tenants = people.container.tenants()
        self.asked = 0
        self.add = self._tenants.add

    async def all(self) -> Sequence[Tenant]:
        self.asked += 1
        return await self._tenants.all()


async def test_hosts_are_asked_for_once_a_second_however_many_ask(people: Population) -> None:
    tenants = Counted(people)
    known = KnownTenants(tenants)
    default, shop = await people.tenant(), await people.tenant("hosts")
    began = time.monotonic()
    found = await asyncio.gather(*(known.of_host(host) for host in ("hosts.test", "nobodys.test", "") * 100))
    assert found == [shop, default, default] * 100
    if time.monotonic() - began < OLDEST_S:
        assert tenants.asked == 1
    while tenants.asked < 2:  # what is known grows old, and is asked for anew
        await known.of_host("hosts.test")
        await asyncio.sleep(0.01)
    assert time.monotonic() - began >= OLDEST_S


async def test_those_who_are_asked_for_at_once_are_each_found_and_who_leaves_takes_nobody_along(
    people: Population,
) -> None:
    users = [await people.add(username=f"at_once_{nth}") for nth in range(5)]
    directory, tenant = people.container.directory(), users[0].tenant_id
    asked = [asyncio.create_task(directory.resolve(tenant, text)) for text in ("at_once_0", "nobody_at_once")]
    await asyncio.sleep(0)
    asked[0].cancel()
    texts = [user.username or "" for user in users] + [str(user.id) for user in users] + ["nobody", str(uuid4())]
    found = await asyncio.gather(*(directory.resolve(tenant, text) for text in texts))
    assert [person.id if person else None for person in found] == [*(user.id for user in users)] * 2 + [None, None]
    assert await asked[1] is None


async def test_many_are_found_at_once_by_whatever_they_are_called(people: Population) -> None:
    first, second = [await people.add(username=f"of_many_{nth}") for nth in range(2)]
    gone = await people.add(username="of_many_gone")
    await people.container.change_user()(gone.tenant_id, gone.id, is_active=False)
    directory, tenant = people.container.directory(), first.tenant_id
    texts = {
        "of_many_0",
        str(first.id).upper(),
        str(second.id),
        "of_many_gone",
        "of_many_none",
        "no name",
        str(uuid4()),
    }
    found = await directory.resolve_all(tenant, texts)
    assert {text: person.id for text, person in found.items()} == {
        "of_many_0": first.id, str(first.id).upper(): first.id, str(second.id): second.id,
    }  # fmt: skip
    assert await directory.resolve_all(tenant, set()) == {}


async def test_a_failure_is_told_to_all_who_wait_and_the_next_round_is_asked_anew() -> None:
    fails = True

    async def read(keys: Collection[str]) -> Mapping[str, str]:
        await asyncio.sleep(0)
        if fails:
            raise Unavailable("away")
        return {key: key.upper() for key in keys if key != "c"}

    rounds = AskedTogether(read)
    told = await asyncio.gather(*(rounds.ask(key) for key in "ab"), return_exceptions=True)
    assert [type(one) for one in told] == [Unavailable, Unavailable]
    fails = False
    assert await asyncio.gather(*(rounds.ask(key) for key in "abca")) == ["A", "B", None, "A"]
