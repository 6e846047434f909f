"""What is identified of reconciliations."""

from typing import NewType
from uuid import UUID

ReconciliationId = NewType("ReconciliationId", UUID)
"""A run: one report of one day, compared once."""
FindingId = NewType("FindingId", UUID)
