"""What events of webhooks carry. No URL is among it: others hear of it."""

from typing import Final, Literal
from uuid import UUID

from msgspec import Struct

DISABLED_SCHEMA: Final = "urn:strongbox:schema:webhook-disabled:1"
TEST_SCHEMA: Final = "urn:strongbox:schema:webhook-test:1"


class DisabledData(Struct, frozen=True):
    """Which webhook was disabled, and why: `gone`, it answered 410; `failing`, for 72 hours nothing was delivered."""

    webhook_id: UUID
    reason: Literal["gone", "failing"]


class TestedData(Struct, frozen=True):
    """Which webhook is tested."""

    webhook_id: UUID
