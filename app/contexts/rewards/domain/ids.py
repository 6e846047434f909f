"""What is identified of cashback."""

from typing import NewType
from uuid import UUID

RuleId = NewType("RuleId", UUID)
PurchaseId = NewType("PurchaseId", UUID)
RefundId = NewType("RefundId", UUID)
EntryId = NewType("EntryId", UUID)
"""What was earned at once: its line of kind EARNED has this id."""
LineId = NewType("LineId", UUID)
