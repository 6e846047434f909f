"""Works on the accounts of a batch, and gathers what changes."""

from collections.abc import Sequence
from uuid import UUID

from app.contexts.rewards.application.books import Changes, Held
from app.contexts.rewards.domain.account import Account
from app.contexts.rewards.domain.entry import Entry
from app.contexts.rewards.domain.ids import EntryId, PurchaseId, RefundId, RuleId
from app.contexts.rewards.domain.refusals import RefundTooLarge
from app.contexts.rewards.domain.rule import Rule, best_of, month_of
from app.contexts.rewards.domain.sale import Cashback, Purchase, Reference, Refund, Sale, Source
from app.contexts.rewards.domain.tokens import Token, part_of
from app.kernel.ids import UserId
from app.kernel.new_ids import Ids
from app.kernel.principal import TenantId


class Teller:
    """Gives and takes back, on the accounts that are held. Nothing that is refused has changed anything."""

    def __init__(self, tenant_id: TenantId, held: Held, token: Token, ids: Ids) -> None:
        self.changes = Changes()
        self.now = held.now
        self._tenant_id = tenant_id
        self._token = token
        self._ids = ids
        self._rules: Sequence[Rule] = held.rules
        self._used = dict(held.used)
        self._purchases = dict(held.purchases)
        self._refunds = {purchase_id: list(before) for purchase_id, before in held.refunds.items()}
        of: dict[UserId, list[Entry]] = {}
        for entry in held.entries:
            of.setdefault(entry.user_id, []).append(entry)
        self._accounts = {
            user_id: Account(standing, of.get(user_id, ()), held.now, ids)
            for user_id, standing in held.standings.items()
        }

    def account(self, user_id: UserId, traceparent: str | None = None) -> Account | None:
        """Somebody's account, for a request with that trace."""
        account = self._accounts.get(user_id)
        if account is not None:
            account.traceparent = traceparent
        return account

    def purchase(self, key: Reference) -> Purchase | None:
        """What has the reference, if something has."""
        return self._purchases.get(key)

    def purchase_of(self, payment_id: UUID) -> Purchase | None:
        """What was bought by that payment, if it is held."""
        text = str(payment_id)
        return next(
            (each for key, each in self._purchases.items() if key.text == text and each.sale.source is Source.PAYMENT),
            None,
        )

    def give_back(self, purchase: Purchase, refund_id: RefundId, amount_minor: int, account: Account) -> None:
        """Take back what so much of a payment has earned, once for each refund. See `refund`."""
        before = self._refunds.setdefault(purchase.id, [])
        reference = str(refund_id)
        if all(known.reference != reference for known in before):
            before.append(self.refund(purchase, refund_id, amount_minor, reference, before, account))

    def buy(self, sale: Sale, purchase_id: PurchaseId, account: Account) -> Purchase:
        """Record what was bought, and give what it earns. Nothing has its reference yet."""
        month = month_of(self.now)
        used = {
            rule_id: amount
            for (user_id, rule_id, then), amount in self._used.items()
            if user_id == sale.user_id and then == month
        }
        gift = best_of(self._rules, sale, self._token, used, account.standing.room)
        cashback = None
        if gift is not None:
            entry = account.earn(sale, purchase_id, gift)
            self._use(sale.user_id, gift.rule_id, gift.amount)
            cashback = Cashback(entry.id, entry.amount, entry.rule_id, entry.status.value)
        purchase = Purchase(
            id=purchase_id, tenant_id=self._tenant_id, sale=sale, cashback=cashback, created_at=self.now
        )
        self._purchases[sale.key] = purchase
        self.changes.purchases.append(purchase)
        return purchase

    def refund(
        self, purchase: Purchase, refund_id: RefundId, amount_minor: int | None, reference: str,
        before: Sequence[Refund], account: Account,
    ) -> Refund:  # fmt: skip
        """Take back what so much of the purchase (or what is left of it) has earned.

        Raises:
            RefundTooLarge: with what was given back before it is more than all, or nothing is left.
        """
        paid = purchase.sale.money.amount_minor
        left = paid - sum(refund.amount_minor for refund in before)
        amount_minor = left if amount_minor is None else amount_minor
        if not 1 <= amount_minor <= left:
            raise RefundTooLarge(left)
        taken = 0
        if purchase.cashback is not None:
            part = part_of(purchase.cashback.amount, amount_minor, paid)
            taken = account.reverse(EntryId(purchase.cashback.entry_id), refund_id, part)
        refund = Refund(
            id=refund_id, purchase_id=purchase.id, user_id=purchase.sale.user_id, reference=reference,
            amount_minor=amount_minor, reversed=taken, created_at=self.now,
        )  # fmt: skip
        self.changes.refunds.append(refund)
        return refund

    def settled(self) -> Changes:
        """All changes."""
        self.changes.accounts = [account for account in self._accounts.values() if account.has_changed]
        return self.changes

    def _use(self, user_id: UserId, rule_id: RuleId, amount: int) -> None:
        of = user_id, rule_id, month_of(self.now)
        self._used[of] = self._used.get(of, 0) + amount
