"""What is identified in the catalogue."""

from typing import NewType
from uuid import UUID

ProductId = NewType("ProductId", UUID)
CategoryId = NewType("CategoryId", UUID)
