"""The wallets and holds that a batch has locked, as one movement after the other leaves them."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID

from app.contexts.funds.application.books import Changes, Locked, NotLocked
from app.contexts.funds.domain.events import Event
from app.contexts.funds.domain.hold import Hold, HoldRef
from app.contexts.funds.domain.ids import HoldId, TransactionId
from app.contexts.funds.domain.ledger import Transaction
from app.contexts.funds.domain.operation import Part, Placement, fingerprint_of_parts
from app.contexts.funds.domain.refusals import BalanceLimit, HoldNotFound
from app.contexts.funds.domain.transfer import CompletedTransfer
from app.contexts.funds.domain.wallet import Wallet, WalletId
from app.kernel.ids import EventId, UserId
from app.kernel.money import Currency, Money
from app.kernel.new_ids import Ids
from app.kernel.operation_id import OperationId
from app.kernel.refusals import Refusal


class Till:
    """Moves money of a batch, whose changes it gathers. A movement that is refused has changed nothing.

    `settled` ends the batch: until then the house's parts are counted, not booked.
    """

    def __init__(self, locked: Locked, ids: Ids) -> None:
        self.changes = Changes()
        self.now = locked.now
        self._ids = ids
        self._wallets = dict(locked.wallets)
        self._holds = dict(locked.holds)
        self._pending = locked.pending
        self._fees: dict[WalletId, tuple[TransactionId, int]] = {}
        self._moments = 0
        self._undo: list[tuple[WalletId, Wallet | None]] = []

    def moment(self) -> datetime:
        """A time of a movement's own: a wallet's history is ordered by time."""
        self._moments += 1
        return self.now + timedelta(microseconds=self._moments - 1)

    def wallet(self, user_id: UserId, currency: Currency) -> Wallet:
        """The wallet as it is now; an empty one where there is none."""
        return self._wallets.get((user_id, currency)) or Wallet(user_id, currency)

    def presume(self, wallets: Iterable[WalletId]) -> None:
        """Have wallets that are not there count as empty ones, until the movements that they are for are undone."""
        for wallet_id in wallets:
            if wallet_id not in self._wallets:
                self._undo.append((wallet_id, None))
                self._wallets[wallet_id] = Wallet(*wallet_id)

    def transfer(self, transfer: CompletedTransfer, business_id: UUID | None = None) -> None:
        """Move the money of a transfer between two users.

        Raises:
            InsufficientFunds: the sender's wallet holds less.
            BalanceLimit: the recipient's has no room.
        """
        assert transfer.sender is not None
        out = self.wallet(transfer.sender, transfer.money.currency).transfer_out(transfer, business_id)
        into = self._receiving(transfer.recipient, transfer.money).transfer_in(transfer, business_id)
        self._move(out)
        self._move(into)
        self._tell(transfer, transfer.created_at)

    def pay_in(self, transfer: CompletedTransfer, reference: str | None, business_id: UUID | None = None) -> None:
        """Move the money of a transfer from outside.

        Raises:
            BalanceLimit: the wallet has no room.
        """
        wallet, made = self._receiving(transfer.recipient, transfer.money), TransactionId(transfer.id)
        self._move(wallet.pay_in(made, reference, transfer.money, transfer.created_at, business_id=business_id))
        self._tell(transfer, transfer.created_at)

    def hold(self, ref: HoldRef) -> Hold:
        """The hold as it is now.

        Raises:
            HoldNotFound: there is none.
        """
        hold = self._holds.get(ref.id)
        if hold is None or hold.ref != ref:
            raise HoldNotFound
        return hold

    def place(self, asked: Placement, operation: OperationId) -> Hold:
        """Set money aside.

        Raises:
            InsufficientFunds: the wallet holds less.
        """
        at, money = self.moment(), asked.money
        hold = Hold(
            HoldId(self._ids()), asked.owner, asked.tenant_id, operation.context, operation.business_id, money, at,
            asked.expires_at,
        )  # fmt: skip
        self._move(self.wallet(*_of(hold)).set_aside(TransactionId(self._ids()), hold, money, at))
        self.changes.placed_holds[hold.id] = hold
        self._tell(hold, at)
        return hold

    def resize(self, ref: HoldRef, amount_minor: int) -> Hold:
        """Let a hold be of another amount.

        Raises:
            HoldNotFound, HoldClosed: there is none that is open.
            TooManyChanges: only its end is left for it.
            InsufficientFunds: the wallet holds less than it grows by.
        """
        before, at = self.hold(ref), self.moment()
        if amount_minor == before.money.amount_minor:
            before.resize(amount_minor, self.now)  # which has to be possible
            return before
        after = before.resize(amount_minor, self.now)
        more = amount_minor - before.money.amount_minor
        wallet, made, money = self.wallet(*_of(before)), TransactionId(self._ids()), Money(abs(more), ref.currency)
        self._move(wallet.set_aside(made, after, money, at) if more > 0 else wallet.give_back(made, after, money, at))
        self._changed(after, at)
        return after

    def release(self, ref: HoldRef) -> Hold:
        """Give back all that is set aside.

        Raises:
            HoldNotFound, HoldClosed: there is none that is open.
        """
        at = self.moment()
        closed = self.hold(ref).release(at)
        self._give_back_rest(closed, at)
        self._changed(closed, at)
        return closed

    def capture(self, ref: HoldRef, parts: Sequence[Part]) -> Hold:
        """Hand over what is set aside, and give back the rest.

        Raises:
            HoldNotFound, HoldClosed: there is none that is open.
            CaptureTooLarge: it holds less.
            BalanceLimit: a beneficiary has no room.
        """
        hold, at = self.hold(ref), self.moment()
        closed = hold.capture(sum(part.amount_minor for part in parts), fingerprint_of_parts(parts), self.now)
        fees = {self._see_room(part, ref.currency): part for part in parts if part.is_fee}
        into = [
            self._receiving(part.beneficiary, Money(part.amount_minor, ref.currency)).capture_in(closed, part, at)
            for part in parts
            if not part.is_fee
        ]
        fee_id = None
        for house, part in fees.items():
            fee_id, so_far = self._fees.get(house) or (TransactionId(self._ids()), 0)
            self._fees[house] = fee_id, so_far + part.amount_minor
        self._move(self.wallet(*_of(closed)).capture_out(closed, at, fee_id))
        for each in into:
            self._move(each)
        self._give_back_rest(closed, at)
        self._changed(closed, at)
        return closed

    @contextmanager
    def all_or_none(self) -> Iterator[None]:
        """Undo what is moved inside if it is refused in the end."""
        changes, marks = self.changes, len(self._undo)
        transactions, events = len(changes.transactions), len(changes.events)
        placed, changed, holds = dict(changes.placed_holds), dict(changes.changed_holds), dict(self._holds)
        try:
            yield
        except Refusal:
            while len(self._undo) > marks:
                wallet_id, wallet = self._undo.pop()
                if wallet is None:
                    del self._wallets[wallet_id]
                else:
                    self._wallets[wallet_id] = wallet
            del changes.transactions[transactions:], changes.events[events:]
            changes.placed_holds, changes.changed_holds, self._holds = placed, changed, holds
            raise

    def settled(self) -> Changes:
        """All changes, with the house's parts booked as one movement."""
        for (house, currency), (fee_id, amount_minor) in self._fees.items():
            wallet = self.wallet(house, currency)
            self._move(wallet.take_fee(fee_id, Money(amount_minor, currency), self.moment()))
        moved = {(each.user_id, each.currency) for each in self.changes.transactions}
        self.changes.wallets = {wallet_id: self._wallets[wallet_id] for wallet_id in moved}
        return self.changes

    def _receiving(self, user_id: UserId, money: Money) -> Wallet:
        """The wallet that money comes to, with room for it."""
        wallet_id = user_id, money.currency
        wallet = self._wallets.get(wallet_id)
        if wallet is None:
            raise NotLocked
        _, fees = self._fees.get(wallet_id, (None, 0))
        if not wallet.has_room(money.amount_minor, self._pending.get(wallet_id, 0) + fees):
            raise BalanceLimit
        return wallet

    def _see_room(self, part: Part, currency: Currency) -> WalletId:
        self._receiving(part.beneficiary, Money(part.amount_minor, currency))
        return part.beneficiary, currency

    def _give_back_rest(self, closed: Hold, at: datetime) -> None:
        if closed.released_minor:
            money, made = Money(closed.released_minor, closed.money.currency), TransactionId(self._ids())
            self._move(self.wallet(*_of(closed)).give_back(made, closed, money, at))

    def _move(self, transaction: Transaction) -> None:
        wallet_id = transaction.user_id, transaction.currency
        before = self.wallet(*wallet_id)
        self._undo.append((wallet_id, before))
        self._wallets[wallet_id] = before.after(transaction)
        self.changes.transactions.append(transaction)

    def _changed(self, hold: Hold, at: datetime) -> None:
        self._holds[hold.id] = self.changes.changed_holds[hold.id] = hold
        self._tell(hold, at)

    def _tell(self, subject: CompletedTransfer | Hold, at: datetime) -> None:
        self.changes.events.append(Event(EventId(self._ids()), subject, at))


def _of(hold: Hold) -> WalletId:
    return hold.owner, hold.money.currency
