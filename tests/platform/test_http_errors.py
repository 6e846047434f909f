"""The table from errors to answers, and the answers that are stored."""

import importlib
import json
import pkgutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

import app.contexts
from app.contexts.auctions.domain import refusals as auctions
from app.contexts.catalog.domain import shelf_refusals as shelf
from app.contexts.catalog.domain.ids import ProductId
from app.contexts.catalog.domain.refusals import OutOfStock, ReservationForbidden, ReservationReused
from app.contexts.chain.domain import refusals as chain
from app.contexts.funds.domain.ids import TransactionId
from app.contexts.funds.domain.refusals import (
    BalanceLimit,
    BulkRefused,
    CaptureTooLarge,
    CurrencyUnknown,
    DayNotOver,
    ForbiddenOperation,
    HoldClosed,
    HoldNotFound,
    InsufficientFunds,
    NoExport,
    OperationReused,
    ReferenceReused,
    TimeToCome,
    TooManyChanges,
    UserNotFound,
    WalletNotFound,
)
from app.contexts.identity.domain import refusals as people
from app.contexts.identity.domain.client_refusals import ClientNotFound, InvalidClient, InvalidScope
from app.contexts.identity.domain.wallet_proof import Reason, WalletNotProved
from app.contexts.ordering.domain import refusals as orders
from app.contexts.payments.adapters.http.answers import HttpAnswers
from app.contexts.payments.adapters.shapes import money_back_shape, payment_shape
from app.contexts.payments.domain import refusals as paying
from app.contexts.payments.domain.ids import PaymentId, ProviderId, RefundId
from app.contexts.payments.domain.outcome import Approved, FailureCode, NotSent
from app.contexts.payments.domain.payment import Payment
from app.contexts.reconciliation.domain import refusals as reconciling
from app.contexts.rewards.domain import refusals as cashback
from app.contexts.webhooks.domain import refusals as webhooks
from app.kernel.ids import UserId
from app.kernel.money import Currency, Money
from app.kernel.refusals import Refusal
from app.main.api import described
from app.platform.http.error_table import ErrorTable
from app.platform.http.services import HttpOptions
from app.platform.http.shapes import timestamp
from app.platform.idempotency.refusals import KeyInProgress as RequestInProgress
from app.platform.idempotency.refusals import KeyReused
from app.platform.people import NotLetIn

AT = datetime(2026, 1, 31, 12, 0, 0, 7, tzinfo=UTC)
ID = UUID("2b1d9a34-5c6e-4f70-8a9b-1c2d3e4f5a60")
PAYMENT = Payment(
    PaymentId(ID), TransactionId(ID), UserId(ID), "key", ProviderId(ID), "ref", Money(5, Currency("USD")), AT
)

REFUSALS: list[Refusal] = [
    UserNotFound(),
    WalletNotFound(Currency("USD")),
    paying.ProviderNotFound(),
    InsufficientFunds(Currency("USD"), 1, 5),
    paying.KeyInProgress(PaymentId(ID)),
    KeyReused(),
    paying.GatewayUnavailable(3),
    paying.RefundsUnavailable(3),
    paying.PaymentNotFound(),
    paying.RefundNotFound(),
    paying.PaymentNotApproved("DECLINED"),
    paying.RefundTooLarge(250),
    paying.RefundInProgress(RefundId(ID)),
    BalanceLimit(),
    ReferenceReused(5),
    BulkRefused([(1, "NOT_FOUND")]),
    RequestInProgress(),
    NotLetIn(),
    people.UserNotFound(),
    people.EmailTaken(),
    people.UsernameTaken(),
    people.AddressTaken(),
    people.TooManyChanges(),
    people.WrongPassword(),
    people.Unfit("email", "must be an e-mail address"),
    WalletNotProved(Reason.NONCE),
    orders.ProductNotFound(),
    orders.ItemNotFound(),
    orders.OrderNotFound(),
    orders.TooMany(1_000),
    orders.CartFull(100),
    orders.TotalTooLarge(2**63 - 1),
    orders.CheckoutInProgress(),
    orders.OwnProduct(),
    orders.CurrencyMixed(),
    orders.CartEmpty(),
    OutOfStock({ProductId(ID): 2}),
    orders.PriceChanged(1_300),
    orders.OrderState("shipped"),
    orders.NotTheirs(),
    shelf.ProductNotFound(),
    shelf.CategoryNotFound(),
    shelf.VersionNeeded(),
    shelf.VersionMoved(4),
    shelf.StockReserved(2),
    shelf.ProductInAuction(),
    shelf.TooManyEdits(),
    shelf.FeaturedByAdmins(),
    shelf.SlugTaken(),
    shelf.CategoryCycle(),
    shelf.CategoryInUse(),
    shelf.Unfit("category_id", "must be a category that there is"),
    auctions.AuctionNotFound(),
    auctions.ProductNotFound(),
    auctions.OwnAuction(),
    auctions.AuctionClosed("ended"),
    auctions.BidTooLow(1_300),
    auctions.AuctionHasBids(),
    auctions.BuyNowGone(),
    auctions.Unfit("currency", "must be the product's"),
    cashback.UserNotFound(),
    cashback.PurchaseNotFound(),
    cashback.RuleNotFound(),
    cashback.ReferenceReused(),
    cashback.RefundTooLarge(400),
    cashback.Unfit("currency", "must be one that has a rate"),
    webhooks.EndpointNotFound(),
    webhooks.DeliveryNotFound(),
    webhooks.TooMany(20),
    webhooks.EndpointDisabled(),
    webhooks.Unfit("url", "must lead to a public address"),
    reconciling.NotAReport("line 3, amount,", "must be a whole number"),
    reconciling.ReconciliationNotFound(),
    reconciling.FindingNotFound(),
]


NOT_OVER_HTTP = {
    chain.CannotDeploy,
    chain.InvalidMint,
    chain.RequestReused,
    CurrencyUnknown,
    DayNotOver,
    NoExport,
    paying.ProviderExists,
    paying.RefundIsFinal,
    ClientNotFound,
    people.IdTaken,
    people.LinesRefused,
    people.TenantNotFound,
    people.TenantTaken,
}
"""What only commands and gRPC can meet: HTTP looks at currencies before it asks, and makes no providers, machines,
tenants or mints."""

BY_THE_PORT = {
    CaptureTooLarge,
    ForbiddenOperation,
    HoldClosed,
    HoldNotFound,
    OperationReused,
    TooManyChanges,
    OutOfStock,
    ReservationForbidden,
    ReservationReused,
}
"""What other contexts are told, who make of it what they will."""

BY_THE_HANDLER = {people.LogInRefused, InvalidClient, InvalidScope, TimeToCome}
"""What is answered where it is met: a floor below which no answer comes, the errors of RFC 6749, and which parameter it
is that is wrong."""

OFFERED = described(HttpOptions(api_keys=()))
problem_of = ErrorTable(OFFERED).problem_of


def every_refusal(of: type[Refusal] = Refusal) -> Iterator[type[Refusal]]:
    """All refusals of all contexts."""
    for module in pkgutil.walk_packages(app.contexts.__path__, "app.contexts."):
        if module.name.endswith(".refusals"):
            importlib.import_module(module.name)
    for refusal in of.__subclasses__():
        if refusal.__module__.startswith("app."):
            yield refusal
        yield from every_refusal(refusal)


def test_every_refusal_of_every_context_is_answered_or_known_to_come_of_commands_alone() -> None:
    answered = {refusal for operation in OFFERED for kind in operation.refusals for refusal in kind.refusals}
    assert answered | NOT_OVER_HTTP | BY_THE_PORT | BY_THE_HANDLER == set(every_refusal())
    assert answered == {type(refusal) for refusal in REFUSALS}


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: type(refusal).__name__)
def test_a_refusal_is_answered_as_it_is_documented(refusal: Refusal) -> None:
    problem = problem_of(refusal)
    documented = [kind for one in OFFERED for kind in one.refusals if type(refusal) in kind.refusals]
    assert {(kind.name, kind.status) for kind in documented} == {(refusal.code, problem.status)}
    assert json.loads(problem.body)["error"]["message"] == str(refusal)
    for kind in documented:
        # Those name the member, whichever it is.
        if not isinstance(refusal, (people.Unfit, cashback.Unfit, webhooks.Unfit, reconciling.NotAReport)):
            assert kind.details.keys() == problem.details.keys()
        assert (kind.retry_after_s is not None) == ("Retry-After" in problem.headers)


def test_a_refusal_that_http_does_not_know_is_a_bug() -> None:
    assert problem_of(CurrencyUnknown(Currency("ZZZ"))).code == "INTERNAL"


def test_the_funds_that_were_missing_are_told_alike_from_the_store_and_from_the_table() -> None:
    refusal = InsufficientFunds(Currency("USD"), 1, 5)
    assert HttpAnswers().refused(refusal).body == problem_of(refusal).body


@pytest.mark.parametrize(("outcome", "status"), [(Approved(), 201), (NotSent(FailureCode.DEADLINE_EXCEEDED), 504)])
def test_a_settled_payment_is_answered_by_its_status(outcome: Approved | NotSent, status: int) -> None:
    assert HttpAnswers().settled(PAYMENT.settle(outcome, AT)).status == status


def test_a_request_whose_time_was_over_is_answered_as_a_time_out_that_blames_nobody() -> None:
    failed = PAYMENT.settle(NotSent(FailureCode.DEADLINE_EXCEEDED), AT)
    error = json.loads(HttpAnswers().settled(failed).body)["error"]
    assert (failed.failure_code, error["code"]) == ("DEADLINE_EXCEEDED", "GATEWAY_TIMEOUT")
    assert error["message"].startswith("the request's time was over; the payment failed and its funds are back")


def test_times_are_in_utc_with_microseconds_always() -> None:
    assert timestamp(AT) == "2026-01-31T12:00:00.000007Z"
    elsewhere = AT.replace(microsecond=0).astimezone(timezone(timedelta(hours=-7)))
    assert timestamp(elsewhere) == "2026-01-31T12:00:00.000000Z"


def test_a_pending_payment_and_a_refund_have_their_shapes() -> None:
    assert payment_shape(PAYMENT).finalized_at is None
    refund = money_back_shape(PAYMENT, TransactionId(UUID(int=1)), AT)
    assert (refund.refund_id, refund.payment_id, refund.amount) == (UUID(int=1), ID, 5)
