"""The account, held step by step against a second model that is slow and obvious."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import count
from math import ceil
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.contexts.rewards.domain.account import AT_ONCE, Account, Standing
from app.contexts.rewards.domain.entry import Entry, Kind, request_of
from app.contexts.rewards.domain.events import EventType
from app.contexts.rewards.domain.ids import EntryId, PurchaseId, RefundId, RuleId
from app.contexts.rewards.domain.refusals import Contradiction
from app.contexts.rewards.domain.rule import Gift
from app.contexts.rewards.domain.sale import Sale, Source
from app.contexts.rewards.domain.tokens import MOST, part_of
from app.kernel.ids import UserId
from app.kernel.money import Currency, Money
from app.kernel.principal import TenantId
from tests.rewards.books import Books

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
USER = UserId(UUID(int=7))
RULE = RuleId(UUID(int=9))
PAID = 1_000


def sale() -> Sale:
    money = Money(PAID, Currency("USD"))
    return Sale(user_id=USER, source=Source.PURCHASE, merchant="m", reference=str(uuid4()), money=money, at=NOON)


class Life:
    """An account through many transactions: as the database keeps it, each time made anew from what was written."""

    def __init__(self) -> None:
        self.standing = Standing(TenantId(UUID(int=1)), USER)
        self.entries: dict[EntryId, Entry] = {}
        self.order: list[EntryId] = []
        self.asked: list[tuple[EntryId, UUID, int, str | None]] = []
        self.lines: list[tuple[EntryId, Kind, int, int]] = []
        self._moments = count()

    def do(self, work: Callable[[Account], object]) -> None:
        now = NOON + timedelta(seconds=next(self._moments))
        # Of closed entries those alone are known that are asked for by id: here all are.
        account = Account(self.standing, self.entries.values(), now, uuid4)
        work(account)
        self.standing = account.standing
        self.order += [entry_id for entry_id in account.changed if entry_id in account.made]
        self.entries |= account.changed
        self.lines += [(line.entry_id, line.kind, line.amount, line.owed) for line in account.lines]
        for event in account.events:
            if event.type is EventType.MINT_REQUESTED:
                assert event.request_id is not None
                self.asked.append((event.entry.id, event.request_id, event.amount, event.address))

    def earn(self, amount: int) -> None:
        self.do(lambda account: account.earn(sale(), PurchaseId(uuid4()), Gift(RULE, amount)))

    def balance(self) -> tuple[int, int, int, int]:
        s = self.standing
        return s.accrued, s.minting, s.minted, s.debt

    def by_lines(self) -> tuple[int, int, int, int]:
        """What the ledger adds up to, by what each kind of line says."""
        accrued = minting = minted = debt = 0
        for _, kind, amount, owed in self.lines:
            match kind:
                case Kind.EARNED:
                    accrued += amount
                case Kind.REVERSED:
                    accrued, debt = accrued - (amount - owed), debt + owed
                case Kind.OFFSET:
                    accrued, debt = accrued - amount, debt - amount
                case Kind.MINTING:
                    accrued, minting = accrued - amount, minting + amount
                case Kind.MINTED:
                    minting, minted = minting - amount, minted + amount
                case Kind.MINT_FAILED:
                    minting, accrued = minting - amount, accrued + amount
        return accrued, minting, minted, debt


AMOUNTS = st.one_of(st.integers(1, 12), st.sampled_from([10**6, 2**63, MOST // 16]))
STEPS = st.one_of(
    st.tuples(st.just("earn"), AMOUNTS),
    st.tuples(st.just("reverse"), st.integers(0, 9), st.integers(1, PAID)),
    st.tuples(st.just("link"), st.sampled_from([None, "0xa", "0xb"]), st.integers(1, 6)),
    st.tuples(st.just("minted"), st.integers(0, 9)),
    st.tuples(st.just("failed"), st.integers(0, 9)),
)


def take(step: tuple[object, ...], life: Life, model: Books) -> None:
    """The same step in both."""
    match step:
        case "earn", int(amount):
            life.earn(amount)
            model.earn(amount)
        case "reverse", int(at), int(refunded) if at < len(model.heaps):
            entry_id = life.order[at]
            part = part_of(life.entries[entry_id].amount, refunded, PAID)
            life.do(lambda account: account.reverse(entry_id, RefundId(uuid4()), part))
            model.reverse(at, Fraction(refunded, PAID))
        case "link", (str() | None) as address, int(news):
            life.do(lambda account: account.link(address, news))
            model.link(address, news)
        case ("minted" | "failed") as how, int(at) if at < len(model.heaps) and model.heaps[at].minting:
            entry = life.entries[life.order[at]]
            if how == "minted":
                life.do(lambda account: account.minted(entry.id, entry.request_id, "0x"))
                model.minted(at)
            else:
                life.do(lambda account: account.failed(entry.id, entry.request_id, "reverted"))
                model.failed(at)


@given(st.lists(STEPS, max_size=40))
def test_whatever_happens_the_account_is_where_the_obvious_model_is(steps: list[tuple[object, ...]]) -> None:
    life, model = Life(), Books()
    for step in steps:
        take(step, life, model)
        assert life.balance() == model.balance == life.by_lines()
        accrued, minting, minted, debt = life.balance()
        assert accrued + minting + minted - debt == model.left
        assert min(life.balance()) >= 0
        assert not (accrued and debt)
        for at, heap in enumerate(model.heaps):
            entry = life.entries[life.order[at]]
            assert (entry.amount, entry.accrued, entry.minting, entry.minted, entry.reversed, entry.attempt) == (
                heap.amount, heap.accrued, heap.minting, heap.minted, heap.reversed, heap.attempts,
            )  # fmt: skip
        assert [
            (life.order.index(entry_id), request_id, amount, address)
            for entry_id, request_id, amount, address in life.asked
        ] == [
            (at, request_of(life.order[at], attempt), amount, address)
            for at, attempt, amount, address in model.requests
        ]


@given(st.lists(STEPS, max_size=40))
def test_of_an_entry_one_is_minted_at_the_most_and_each_request_ends_once(steps: list[tuple[object, ...]]) -> None:
    life, model = Life(), Books()
    for step in steps:
        take(step, life, model)
    for entry_id in life.order:
        kinds = [kind for of, kind, *_ in life.lines if of == entry_id]
        assert kinds.count(Kind.MINTED) <= 1
        assert kinds.count(Kind.MINTING) - kinds.count(Kind.MINTED) - kinds.count(Kind.MINT_FAILED) in (0, 1)
        assert Kind.MINTING not in kinds[kinds.index(Kind.MINTED) :] if Kind.MINTED in kinds else True


def started(amount: int = 100) -> Life:
    """Somebody who has earned something that is being minted."""
    life = Life()
    life.do(lambda account: account.link("0xa", 1))
    life.earn(amount)
    return life


def test_the_same_news_again_is_none() -> None:
    life = started()
    entry = life.entries[life.order[0]]
    for _ in range(2):
        life.do(lambda account: account.minted(entry.id, entry.request_id, "0x"))
    assert [kind for _, kind, *_ in life.lines] == [Kind.EARNED, Kind.MINTING, Kind.MINTED]
    life = started()
    entry = life.entries[life.order[0]]
    for _ in range(2):
        life.do(lambda account: account.failed(entry.id, request_of(entry.id, 1), "reverted"))
    assert [kind for _, kind, *_ in life.lines] == [Kind.EARNED, Kind.MINTING, Kind.MINT_FAILED, Kind.MINTING]


def test_what_contradicts_what_is_known_is_no_news() -> None:
    life = started()
    entry = life.entries[life.order[0]]

    def refused(work: Callable[[Account], object]) -> None:
        before = life.balance()
        with pytest.raises(Contradiction):
            life.do(work)
        assert life.balance() == before

    refused(lambda account: account.minted(entry.id, uuid4(), "0x"))
    refused(lambda account: account.minted(EntryId(uuid4()), entry.request_id, "0x"))
    refused(lambda account: account.failed(entry.id, request_of(entry.id, 2), ""))
    life.do(lambda account: account.failed(entry.id, entry.request_id, ""))
    refused(lambda account: account.minted(entry.id, request_of(entry.id, 1), "0x"))
    life.do(lambda account: account.minted(entry.id, request_of(entry.id, 2), "0x"))
    refused(lambda account: account.failed(entry.id, request_of(entry.id, 2), ""))


def test_what_fails_again_and_again_waits_for_the_next_thing_that_happens() -> None:
    life = started()
    entry_id = life.order[0]
    for attempt in range(1, AT_ONCE + 1):
        assert life.entries[entry_id].attempt == attempt
        life.do(lambda account: account.failed(entry_id, life.entries[entry_id].request_id, "reverted"))
    assert (life.entries[entry_id].attempt, life.balance()) == (AT_ONCE, (100, 0, 0, 0))
    life.earn(5)
    assert (life.entries[entry_id].attempt, life.balance()) == (AT_ONCE + 1, (0, 105, 0, 0))
    life.do(lambda account: account.failed(entry_id, life.entries[entry_id].request_id, "reverted"))
    life.do(lambda account: account.link("0xb", 2))
    assert life.balance() == (0, 105, 0, 0)
    assert life.asked[-1][3] == "0xb"


def test_older_news_of_an_address_is_none() -> None:
    life = Life()
    life.do(lambda account: account.link("0xb", 2))
    life.do(lambda account: account.link("0xa", 1))
    life.do(lambda account: account.link(None, 2))
    assert life.standing.address == "0xb"


def test_nobody_has_more_than_a_contract_can_count() -> None:
    assert replace(Standing(TenantId(UUID(int=1)), USER), accrued=MOST - 5, minting=2).room == 3


@given(st.integers(1, 10**9), st.integers(1, 10**6), st.data())
def test_a_part_is_rounded_up(earned: int, paid: int, data: st.DataObject) -> None:
    refunded = data.draw(st.integers(1, paid))
    assert part_of(earned, refunded, paid) == -(-earned * refunded // paid) == ceil(Fraction(earned * refunded, paid))
