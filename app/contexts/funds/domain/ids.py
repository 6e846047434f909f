"""Identifiers of wallets' movements, and of money set aside."""

from typing import NewType
from uuid import UUID

TransactionId = NewType("TransactionId", UUID)
TransferId = NewType("TransferId", UUID)
"""The id that the legs of a transfer share."""
HoldId = NewType("HoldId", UUID)
