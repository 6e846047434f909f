"""What pgbench writes of events and answers: documents as the service writes them, of what is made up."""

from datetime import timedelta
from uuid import uuid4

import msgspec

from app.contexts.auctions.adapters.http.bids import HttpBidAnswers
from app.contexts.auctions.adapters.postgres.event_documents import document as document_of_auctions
from app.contexts.auctions.adapters.postgres.event_documents import seen as document_of_watchers
from app.contexts.auctions.domain.auction import Auction, Offer
from app.contexts.auctions.domain.events import told_of
from app.contexts.auctions.domain.ids import AuctionId, BidId
from app.contexts.auctions.domain.steps import Steps
from app.contexts.catalog.public import Line, ProductId
from app.contexts.funds.adapters.http.answers import HttpTransferAnswers
from app.contexts.funds.adapters.postgres.event_documents import document as document_of_funds
from app.contexts.funds.adapters.postgres.operation_rows import answer_of
from app.contexts.funds.domain import events as of_funds
from app.contexts.funds.domain.hold import Hold
from app.contexts.funds.domain.ids import HoldId, TransferId
from app.contexts.funds.domain.operation import Part, fingerprint_of_parts
from app.contexts.funds.domain.transfer import CompletedTransfer
from app.contexts.funds.public import Done
from app.contexts.ordering.adapters.http.checkout import HttpCheckoutAnswers
from app.contexts.ordering.adapters.postgres.event_documents import document as document_of_orders
from app.contexts.ordering.adapters.postgres.order_rows import items_text
from app.contexts.ordering.domain.checkout import Checkout
from app.contexts.ordering.domain.events import told
from app.contexts.ordering.domain.ids import CartId, CheckoutId, OrderId
from app.contexts.ordering.domain.order import Order, OrderItem
from app.contexts.payments.adapters.postgres.event_documents import document
from app.contexts.payments.adapters.shapes import payment_shape
from app.contexts.payments.domain.events import created, settled
from app.contexts.payments.domain.outcome import Approved
from app.contexts.rewards.adapters.http.answers import HttpAnswers
from app.contexts.rewards.adapters.postgres.event_documents import document as document_of_cashback
from app.contexts.rewards.domain.account import Account, Standing
from app.contexts.rewards.domain.events import EventType
from app.contexts.rewards.domain.ids import PurchaseId, RuleId
from app.contexts.rewards.domain.rule import Gift
from app.contexts.rewards.domain.sale import Cashback, Purchase, Sale, Source
from app.kernel.ids import EventId
from app.kernel.principal import TenantId
from tests.builders import NOON, USD, money, payment, user_id


def of_payments() -> dict[str, str]:
    """An event's document before and after, and the stored answer."""
    before = payment()
    after = before.settle(Approved(), NOON)
    answer = msgspec.json.encode(payment_shape(after)).decode()
    events = {"created": created(before, EventId(uuid4())), "completed": settled(after, EventId(uuid4()))}
    return {name: document(event) for name, event in events.items()} | {"answer": answer}


def of_transfers() -> dict[str, str]:
    """A transfer's event and answer, a hold's events, what its operation keeps, and the tenant of them all."""
    tenant = TenantId(uuid4())
    transfer = CompletedTransfer(TransferId(uuid4()), tenant, user_id(), user_id(), money(), NOON)
    placed = Hold(HoldId(uuid4()), user_id(), tenant, "bench", uuid4(), money(), NOON)
    captured = placed.capture(1_000, fingerprint_of_parts([Part(user_id(), 1_000)]), NOON)
    subjects: dict[str, CompletedTransfer | Hold] = {"transferred": transfer, "placed": placed, "captured": captured}
    told = {
        name: document_of_funds(of_funds.Event(EventId(uuid4()), subject, NOON)) for name, subject in subjects.items()
    }
    return told | {
        "sent": HttpTransferAnswers().completed(transfer).body.decode(),
        "done": answer_of(Done((placed.id,))),
        "tenant": str(tenant),
    }


def of_checkouts() -> dict[str, str]:
    """What a checkout of one piece keeps of its lines, its order of its items; its event, and the stored answer."""
    tenant, buyer, product_id = TenantId(uuid4()), user_id(), ProductId(uuid4())
    checkout = Checkout(
        id=CheckoutId(uuid4()), tenant_id=tenant, buyer_id=buyer, cart_id=CartId(uuid4()), key="1-1-1",
        expected_total_minor=1_000, currency=USD, lines=(Line(product_id, 1),), created_at=NOON, updated_at=NOON,
    )  # fmt: skip
    placed = Order(
        id=OrderId(uuid4()), tenant_id=tenant, checkout_id=checkout.id, buyer_id=buyer, seller_id=user_id(),
        items=(OrderItem(product_id, "A lamp of kind 7", 1, 1_000),), total_minor=1_000, fee_minor=0, currency=USD,
        house_user_id=user_id(), created_at=NOON, updated_at=NOON,
    )  # fmt: skip
    paid = placed.pay(HoldId(uuid4()), 0, NOON)
    return {
        "lines": msgspec.json.encode(checkout.lines).decode(),
        "items": items_text(paid.items),
        "paid": document_of_orders(told(paid, EventId(uuid4()))),
        "checked_out": HttpCheckoutAnswers().paid(checkout, [paid]).body.decode(),
    }


def of_bids() -> dict[str, str]:
    """What watchers and the world are told of a bid, the stored answer, and that another's hold goes back."""
    tenant, bidder = TenantId(uuid4()), user_id()
    auction = Auction(
        id=AuctionId(uuid4()), tenant_id=tenant, seller_id=user_id(), product_id=ProductId(uuid4()), title="A lamp",
        category_id=None, currency=USD, starting_price_minor=1, reserve_price_minor=None, buy_now_price_minor=None,
        steps=Steps(((0, 1),)), extend=timedelta(minutes=2), starts_at=NOON, planned_end=NOON + timedelta(days=1),
        ends_at=NOON + timedelta(days=1), price_minor=1, created_at=NOON, updated_at=NOON, last_event_id=10_000,
    )  # fmt: skip
    offer = Offer(
        id=BidId(uuid4()), bidder=bidder, ordinal=None, amount_minor=100_000, max_minor=100_000, hold_id=HoldId(uuid4())
    )  # fmt: skip
    placed = auction.place(offer, NOON)
    (event,) = told_of(placed, uuid4, None)
    released = Hold(HoldId(uuid4()), bidder, tenant, "auctions", uuid4(), money(), NOON).release(NOON)
    return {
        "seen": document_of_watchers(event),
        "bid_told": document_of_auctions(event),
        "bid_answer": HttpBidAnswers().placed(placed.bid, placed.auction).body.decode(),
        "released": document_of_funds(of_funds.Event(EventId(uuid4()), released, NOON)),
    }


def of_purchases() -> dict[str, str]:
    """A purchase's events, and the stored answer."""
    account, purchase = _bought()
    told = {event.type: document_of_cashback(event) for event in account.events}
    return {
        "earned": told[EventType.EARNED],
        "requested": told[EventType.MINT_REQUESTED],
        "bought": HttpAnswers().bought(purchase).body.decode(),
    }


def of_requests(count: int) -> list[str]:
    """So many events that ask for tokens, each of a purchase of its own."""
    events = (event for _ in range(count) for event in _bought()[0].events)
    return [document_of_cashback(event) for event in events if event.type is EventType.MINT_REQUESTED]


def _bought() -> tuple[Account, Purchase]:
    """Somebody whose address is known, with a purchase, and what it has earned."""
    tenant, buyer, purchase_id = TenantId(uuid4()), user_id(), PurchaseId(uuid4())
    account = Account(Standing(tenant, buyer, f"0x{uuid4().hex}{uuid4().hex[:8]}"), (), NOON, uuid4)
    sale = Sale(
        user_id=buyer, source=Source.PURCHASE, merchant="corner shop", reference="1-1-1", money=money(), at=NOON,
        category="groceries",
    )  # fmt: skip
    entry = account.earn(sale, purchase_id, Gift(RuleId(uuid4()), 100_000))
    cashback = Cashback(entry.id, entry.amount, entry.rule_id, entry.status.value)
    return account, Purchase(id=purchase_id, tenant_id=tenant, sale=sale, cashback=cashback, created_at=NOON)
