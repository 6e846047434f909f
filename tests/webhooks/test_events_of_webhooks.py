"""What is told of webhooks has the shapes of its schemas, and says nobody's URL."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from app.contexts.webhooks.adapters.postgres.event_documents import document, event_of_a_test
from app.contexts.webhooks.domain.endpoint import Reason
from app.contexts.webhooks.domain.events import Disabled
from app.contexts.webhooks.domain.ids import EndpointId
from app.kernel.ids import EventId
from app.kernel.principal import TenantId
from tests.system.test_event_schemas import SCHEMAS

ONE, AT = UUID(int=1), datetime(2026, 1, 31, 12, tzinfo=UTC)
DISABLED = [document(Disabled(EventId(ONE), EndpointId(ONE), TenantId(ONE), reason, AT, 3)) for reason in Reason]
TESTED = event_of_a_test(EventId(ONE), TenantId(ONE), EndpointId(ONE), AT).body.decode()


@pytest.mark.parametrize("text", [*DISABLED, TESTED])
def test_an_event_is_of_its_schema(text: str) -> None:
    told: dict[str, Any] = json.loads(text)
    schema = SCHEMAS[told["dataschema"]]
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(told["data"])
    assert set(told["data"]) == set(schema["properties"]) == set(schema["required"])
    assert (told["type"].partition(".")[0], told["tenantid"]) == ("webhook", str(ONE))
