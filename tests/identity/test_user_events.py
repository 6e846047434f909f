"""What is told of people: as the schema and the page say, and nothing personal."""

import json
import re
from typing import Any
from uuid import uuid4

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from app.contexts.identity.adapters.postgres.event_documents import document
from app.contexts.identity.application.change_user import ChangeUser
from app.contexts.identity.domain.account import MOST_TOLD, Account, Change, Event, EventType, told
from app.contexts.identity.domain.refusals import TooManyChanges
from app.kernel.ids import EventId, UserId
from app.kernel.principal import Role, TenantId
from tests.builders import NOON
from tests.identity.people import Population, bearer
from tests.system.documents import ROOT, table

PAGE = "docs/identity/events.md"
SCHEMA: dict[str, Any] = json.loads((ROOT / "docs/identity/schemas/user.1.json").read_text())
ADDRESS = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"


def event(kind: EventType, address: str | None = None, sequence: int = 1) -> Event:
    return Event(EventId(uuid4()), kind, UserId(uuid4()), TenantId(uuid4()), address, sequence, NOON)


@pytest.mark.parametrize("kind", EventType)
@pytest.mark.parametrize("address", [None, ADDRESS])
def test_the_schema_describes_the_events(kind: EventType, address: str | None) -> None:
    told = json.loads(document(event(kind, address)))
    assert told["dataschema"] == SCHEMA["$id"]
    Draft202012Validator(SCHEMA, format_checker=FormatChecker()).validate(told["data"])
    assert set(told["data"]) == set(SCHEMA["properties"]) == set(SCHEMA["required"])


def test_the_events_of_the_page_are_events() -> None:
    assert {row[0].strip("`") for row in table(PAGE)} == {kind.value for kind in EventType}
    (example,) = re.findall(r"^```json\n(.*?)^```$", (ROOT / PAGE).read_text(), re.DOTALL | re.MULTILINE)
    shown = json.loads(example)
    Draft202012Validator(SCHEMA).validate(shown["data"])
    assert set(shown) == set(json.loads(document(event(EventType.REGISTERED))))


async def test_of_the_numbers_that_events_have_the_last_is_for_disabling(people: Population) -> None:
    user = await people.add(email="often@example.org")
    change, tenant = ChangeUser(people.container.users()), user.tenant_id
    linking = Change(told(Account(user, None, MOST_TOLD - 2), EventType.ADDRESS_LINKED), (EventType.ADDRESS_LINKED,))
    await people.container.users().change(tenant, user.id, lambda _: linking)
    with pytest.raises(TooManyChanges):
        told(linking.account, EventType.ADDRESS_LINKED)
    assert not (await change(tenant, user.id, is_active=False)).is_active
    admin = await people.add(email="admin@example.org", role=Role.ADMIN)
    async with people.client() as client:
        of, headers = f"/v1/users/{user.id}", bearer(admin)
        answer = await client.patch(of, json={"is_active": True}, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "TOO_MANY_CHANGES")
        assert (await client.patch(of, json={"is_active": False, "role": "seller"}, headers=headers)).status_code == 200
    assert people.events(user)[-2:] == [("user.address_linked", MOST_TOLD - 1), ("user.disabled", MOST_TOLD)]


async def test_what_is_written_is_of_the_user_and_the_tenant_and_nothing_personal(people: Population) -> None:
    user = await people.add(email="private@example.org", username="private", phone="12345", wallet_address=ADDRESS)
    ((payload, tenant_id, partition),) = people.rows(
        "SELECT payload, tenant_id, partition FROM identity.outbox_events WHERE subject = %s", user.id
    )
    assert payload["data"] == {
        "user_id": str(user.id),
        "tenant_id": str(user.tenant_id),
        "wallet_address": ADDRESS,
    }
    assert (tenant_id, partition) == (user.tenant_id, user.id.int % 16)
    assert "private" not in str(payload)
