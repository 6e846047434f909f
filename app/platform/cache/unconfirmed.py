"""Deletions that Redis has not confirmed: until it has, this process reads nothing of it there."""

from collections.abc import Collection
from typing import Final

from app.platform.cache.in_process import Place

MOST: Final = 10_000
"""Places; where there are more, all of their tenants' are taken for deleted."""


class Unconfirmed:
    """Places by the number of their newest deletion, as an older one's confirmation says nothing of a newer."""

    def __init__(self, most: int = MOST) -> None:
        self._most, self._number = most, 0
        self._places: dict[Place, int] = {}
        self._tenants: dict[int, int] = {}

    def __contains__(self, place: Place) -> bool:
        return place in self._places or place[0] in self._tenants

    def __len__(self) -> int:
        return len(self._places) + len(self._tenants)

    def begin(self, places: Collection[Place]) -> int:
        """A deletion is about to be asked for: its number."""
        self._number += 1
        self._places |= dict.fromkeys(places, self._number)
        if len(self._places) > self._most:
            self._tenants |= dict.fromkeys((tenant for tenant, _ in self._places), self._number)
            self._places.clear()
        return self._number

    def confirm(self, places: Collection[Place], number: int) -> None:
        """It has come about; so have those before it."""
        for place in places:
            if self._places.get(place, number) <= number:
                self._places.pop(place, None)

    def confirm_tenant(self, tenant: int, number: int) -> None:
        """All of the tenant's were deleted, since that number was the newest."""
        if self._tenants.get(tenant, number) <= number:
            self._tenants.pop(tenant, None)

    def left(self, most: int) -> tuple[int, Collection[Place], Collection[int]]:
        """What is to be asked for again: the number as of now, so many of the places, and tenants."""
        return self._number, [*self._places][:most], [*self._tenants]
