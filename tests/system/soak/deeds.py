"""What people of the market do until it is known: checking out, and what becomes of an order; and what that moves."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from tests.system.e2e.crowd import Person
from tests.system.soak.asking import Answer
from tests.system.soak.moves import Account

FEE_BP: Final = 250
Close = Literal["ship", "cancel", "complete"]
ENDS: Final[dict[Close, str]] = {"ship": "shipped", "cancel": "cancelled", "complete": "completed"}
REFUSED: Final = ("CART_EMPTY", "OUT_OF_STOCK", "PRICE_CHANGED", "INSUFFICIENT_FUNDS")


@dataclass(slots=True)
class Deed:
    """Something that is asked for until it is known. `finals` are the answers that say what became of it."""

    what: str
    who: Person
    path: str
    asked: dict[str, Any]
    began: float
    key: str | None = None
    finals: list[Answer] = field(default_factory=list)
    calls: int = 0

    @property
    def name(self) -> str:
        """What it is called in complaints."""
        return f"{self.what} {self.key or self.path}"

    @property
    def status(self) -> int:
        """How it was answered; 0 where that is not known."""
        return self.finals[0].status if self.finals else 0

    @property
    def told(self) -> Any:
        """What became of it."""
        return self.finals[0].told

    @property
    def outcome(self) -> str:
        """How it ended, in a word."""
        return (self.finals[0].code or "done") if self.finals else "unknown"

    def _meant(self, final: Answer) -> tuple[int, bytes | str]:
        """What is to be the same in all answers. Refusals without a key say where the order stands by then."""
        return final.status, final.code if final.status >= 400 and not self.key else final.body

    def contradictions(self) -> Iterator[str]:
        """Answers that contradict each other."""
        if not self.finals:
            yield f"{self.name}: what became of it could not be learned in {self.calls} calls"
        elif len({self._meant(final) for final in self.finals}) > 1:
            yield f"{self.name}: {len(self.finals)} answers differ: {sorted({f.body for f in self.finals})[:2]}"
        elif self.key and sum(not final.is_replay for final in self.finals) > 1:
            yield f"{self.name}: several answers are not marked as replayed"


class Order:
    """An order as it was told of, and what was done with it."""

    def __init__(self, sale: Deed, told: dict[str, Any]) -> None:
        self.sale = sale
        self.paid = told
        self.closings: list[Deed] = []

    @property
    def id(self) -> str:
        return str(self.paid["order_id"])

    @property
    def status(self) -> str:
        """Where it stands, by what was told."""
        done = [deed.what for deed in self.closings if deed.status == 200]
        return next((ENDS[close] for close in ("cancel", "complete", "ship") if close in done), "paid")

    @property
    def pieces(self) -> Counter[str]:
        """How many of each product it has."""
        return Counter({item["product_id"]: item["qty"] for item in self.paid["items"]})

    def effect(self, house: str) -> Counter[Account]:
        """What it did to what can be spent."""
        moved, currency, total = Counter[Account](), self.paid["currency"], self.paid["total"]
        if self.status != "cancelled":
            moved[self.paid["buyer_id"], currency] -= total
        if self.status in ("shipped", "completed"):
            moved[self.paid["seller_id"], currency] += total - self.paid["fee"]
            moved[house, currency] += self.paid["fee"]
        return moved

    def contradictions(self) -> Iterator[str]:
        """What cannot have become of one order."""
        done = [deed.what for deed in self.closings if deed.status == 200]
        if "ship" in done and "cancel" in done:
            yield f"order {self.id} was shipped and cancelled"
        for deed in self.closings:
            yield from deed.contradictions()
            if deed.status == 200 and deed.told["status"] != ENDS[deed.what]:  # type: ignore[index]
                yield f"{deed.name}: the order is {deed.told['status']}"
            if deed.status not in (0, 200) and deed.outcome != "ORDER_STATE":
                yield f"{deed.name}: was answered {deed.status} {deed.outcome}"
        refused = [deed.what for deed in self.closings if deed.status not in (0, 200)]
        if refused and {deed.what for deed in self.closings} != {"ship", "cancel"}:
            yield f"order {self.id}: {refused} was refused, though nothing was in its way"
        if refused and not done:
            yield f"order {self.id} was neither shipped nor cancelled, though it was asked to be both"


def malformed(sale: Deed) -> Iterator[str]:
    """What is wrong with what a checkout was told."""
    if sale.status not in (0, 201) and sale.outcome not in REFUSED:
        yield f"{sale.name}: was answered {sale.status} {sale.outcome}"
    if sale.status != 201:
        return
    orders = sale.told["orders"]
    if sum(order["total"] for order in orders) != sale.asked["expected_total"]:
        yield f"{sale.name}: {[order['total'] for order in orders]} is not {sale.asked['expected_total']}"
    if len({order["seller_id"] for order in orders}) < len(orders):
        yield f"{sale.name}: several orders of a seller"
    for order in orders:
        total = sum(item["qty"] * item["price"] for item in order["items"])
        stands = order["total"], order["fee"], order["status"], order["buyer_id"]
        if stands != (total, total * FEE_BP // 10_000, "paid", str(sale.who.id)) or not order["payment_ref"]:
            yield f"{sale.name}: order {order['order_id']} says {stands}, its items sum to {total}"
