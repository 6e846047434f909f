"""Move the stock: reserve pieces of products, sell what is reserved, put back what was reserved or sold."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from app.contexts.catalog.application.settling import GiveBack, Settling, Take
from app.contexts.catalog.application.stock_room import Changes, Found, Outcome, Record, Standing, StockRoom
from app.contexts.catalog.domain.ids import ProductId
from app.contexts.catalog.domain.pile import Pile
from app.contexts.catalog.domain.refusals import (
    OutOfStock,
    ReservationForbidden,
    ReservationNotFound,
    ReservationReused,
)
from app.contexts.catalog.domain.reservation import LineStatus, Reservation
from app.contexts.catalog.public import Reserved
from app.kernel.operation_id import OperationId
from app.kernel.principal import TenantId
from app.platform.by_tenant import by_tenant

Movement = Reservation | Settling
Moved = Outcome | ReservationNotFound | None
"""What became of it: of a reservation an outcome; of what settles one that there is none such, or nothing to tell."""


def row_of(movement: Movement) -> UUID:
    """What others may hold that it needs: movements of one go aside together. Of a settlement only its reservation is
    known."""
    return movement.lines[0].product_id if isinstance(movement, Reservation) else movement.operation.business_id


class MoveStock:
    """Moves for a batch, in one transaction a tenant: in their order, each on what those before it have left. Together,
    as all of them wait for the rows of the same products.

    What cannot be done is a value, and takes nobody else down; OutOfStock is stored, and the same for good. Running a
    batch again with the same is safe, whatever became of it the first time.
    """

    def __init__(self, room: StockRoom) -> None:
        self._room = room

    async def __call__(self, asked: Sequence[Movement]) -> Sequence[Moved]:
        return await by_tenant(asked, self._move)

    async def _move(self, tenant_id: TenantId, asked: Sequence[Movement]) -> Sequence[Moved]:
        firsts: dict[OperationId, Reservation] = {}
        for each in asked:
            if isinstance(each, Reservation):
                firsts.setdefault(each.operation, each)
        settled = dict.fromkeys(each.operation for each in asked if not isinstance(each, Reservation))
        async with self._room.begin(tenant_id) as work:
            found = await work.find([*firsts.values()], [*settled])
            records, changes = dict(found.records), Changes()
            results = [
                _reserved(each, records, found, changes)
                if isinstance(each, Reservation)
                else _settled(each, found, changes)
                for each in asked
            ]
            changes.piles = [pile for pile in found.piles.values() if pile.moves]
            await work.commit(changes)
        return results


def _reserved(asked: Reservation, records: dict[OperationId, Record], found: Found, changes: Changes) -> Outcome:
    """What a reservation gets: what is on record of its operation, or what is decided now."""
    record = records.get(asked.operation)
    if record is None:
        record = records[asked.operation] = Record(asked.fingerprint, _decided(asked, found.piles, changes))
    if record.fingerprint is None:
        return ReservationForbidden()
    return record.outcome if record.fingerprint == asked.fingerprint else ReservationReused()


def _decided(reservation: Reservation, piles: Mapping[ProductId, Pile], changes: Changes) -> Reserved | OutOfStock:
    left = {line.product_id: _available(piles.get(line.product_id)) for line in reservation.lines}
    missing = {line.product_id: left[line.product_id] for line in reservation.lines if left[line.product_id] < line.qty}
    if missing:
        refused = changes.refusals[reservation.operation] = OutOfStock(missing)
        return refused
    lines = sorted(reservation.lines, key=lambda line: line.product_id)
    reserved = [piles[line.product_id].reserve(line.qty) for line in lines]
    changes.lines += [(reservation.operation, line) for line in reserved]
    return Reserved(reserved)


def _available(pile: Pile | None) -> int:
    return 0 if pile is None else pile.available


def _settled(asked: Settling, found: Found, changes: Changes) -> ReservationNotFound | None:
    standing = found.reservations.get(asked.operation)
    if standing is None:
        return ReservationNotFound("there is no such reservation")
    if isinstance(asked, Take):
        return _take(asked, standing, found, changes)
    return _give_back(asked, standing, found, changes)


def _take(asked: Take, standing: Standing, found: Found, changes: Changes) -> ReservationNotFound | None:
    if all(line.status is LineStatus.RETURNED for line in standing.lines.values()):
        return ReservationNotFound("the reservation was given back")
    for product_id, line in standing.lines.items():
        if line.status is LineStatus.RESERVED:
            found.piles[product_id].sell(line.qty)
            line.status = changes.statuses[asked.operation, product_id] = LineStatus.TAKEN
            if standing.buyer is not None:
                changes.purchases[standing.buyer, product_id] += 1
    return None


def _give_back(asked: GiveBack, standing: Standing, found: Found, changes: Changes) -> ReservationNotFound | None:
    products = standing.lines.keys() if asked.products is None else asked.products
    if not products <= standing.lines.keys():
        return ReservationNotFound("the reservation is of other products")
    for product_id in products:
        line, pile = standing.lines[product_id], found.piles[product_id]
        if line.status is LineStatus.RETURNED:
            continue
        if line.status is LineStatus.RESERVED:
            pile.let_go(line.qty)
        else:
            pile.take_back(line.qty)
            if standing.buyer is not None:
                changes.purchases[standing.buyer, product_id] -= 1
        line.status = changes.statuses[asked.operation, product_id] = LineStatus.RETURNED
    return None
