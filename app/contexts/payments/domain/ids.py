"""Identifiers of payments and of those whom they are for."""

from typing import NewType
from uuid import UUID

PaymentId = NewType("PaymentId", UUID)
ProviderId = NewType("ProviderId", UUID)
RefundId = NewType("RefundId", UUID)
