"""Strongbox for programs: pays, sends, sells and refunds once, whatever happens to the answer."""

from strongbox_client import codes
from strongbox_client.async_client import AsyncClient
from strongbox_client.client import Client
from strongbox_client.credentials import AccessToken, Credential, Machine, Password, Session
from strongbox_client.errors import (
    ApiError,
    NoAnswer,
    OutcomeUnknown,
    StrongboxError,
    TokenRefused,
    UnexpectedAnswer,
)
from strongbox_client.operations.auctions import LiveEvent
from strongbox_client.operations.payments import Approved, Declined, Failed, Pending
from strongbox_client.operations.wallet import TransferOrder
from strongbox_client.pages import AsyncPages, Page, Pages
from strongbox_client.terms import Patience
from strongbox_client.values import UNSET, BaseUnits
from strongbox_client.webhook import Event, WebhookRefused, verify_webhook

__all__ = [
    "UNSET",
    "AccessToken",
    "ApiError",
    "Approved",
    "AsyncClient",
    "AsyncPages",
    "BaseUnits",
    "Client",
    "Credential",
    "Declined",
    "Event",
    "Failed",
    "LiveEvent",
    "Machine",
    "NoAnswer",
    "OutcomeUnknown",
    "Page",
    "Pages",
    "Password",
    "Patience",
    "Pending",
    "Session",
    "StrongboxError",
    "TokenRefused",
    "TransferOrder",
    "UnexpectedAnswer",
    "WebhookRefused",
    "codes",
    "verify_webhook",
]
