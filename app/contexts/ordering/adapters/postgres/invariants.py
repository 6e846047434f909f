"""The invariants of checkouts and orders that ordering can see alone, each as a query for what contradicts it.

They see the rows of one tenant at a time, as anybody does. They hold against an owner who drops constraints.
"""

from collections.abc import Sequence
from typing import Final

from app.platform.postgres.walls import Claim

_ALL_OR_NONE: Final = """
    SELECT format('checkout %s of user %s is %s, its orders %s', c.id, c.user_id, c.status,
                  string_agg(DISTINCT o.status, ', '))
    FROM ordering.checkouts c
    LEFT JOIN ordering.orders o ON o.bucket = c.bucket AND o.user_id = c.user_id AND o.checkout_id = c.id
    GROUP BY c.bucket, c.user_id, c.id
    HAVING CASE c.status
        WHEN 'paid' THEN count(o.id) > 0 AND bool_and(o.paid_at IS NOT NULL)
        WHEN 'cancelled' THEN coalesce(bool_and(o.status = 'cancelled' AND o.paid_at IS NULL), true)
        ELSE coalesce(bool_and(o.status = 'pending'), true) END IS NOT TRUE
    UNION ALL
    SELECT format('cart %s of user %s is %s, its checkout %s is %s', k.id, k.user_id, k.status, k.checkout_id,
                  coalesce(c.status, 'not there'))
    FROM ordering.carts k
    LEFT JOIN ordering.checkouts c ON c.bucket = k.bucket AND c.user_id = k.user_id AND c.id = k.checkout_id
    WHERE k.checkout_id IS NOT NULL
        AND c.status IS DISTINCT FROM CASE k.status WHEN 'active' THEN 'pending' ELSE 'paid' END
    UNION ALL
    SELECT format('checkout %s of user %s is pending, and no cart is being checked out by it', c.id, c.user_id)
    FROM ordering.checkouts c
    LEFT JOIN ordering.carts k ON k.bucket = c.bucket AND k.user_id = c.user_id AND k.id = c.cart_id
    WHERE c.status = 'pending' AND k.checkout_id IS DISTINCT FROM c.id
"""

_NOTHING_HALF_DONE: Final = """
    SELECT format('checkout %s of user %s is pending since %s', id, user_id, created_at)
    FROM ordering.checkouts
    WHERE status = 'pending' AND created_at < clock_timestamp() - make_interval(secs => {limit_s})
    UNION ALL
    SELECT format('order %s of user %s is about to be closed (%s) since %s', id, user_id, closing, closing_at)
    FROM ordering.orders
    WHERE closing IS NOT NULL AND closing_at < clock_timestamp() - make_interval(secs => {limit_s})
"""


OF_TENANTS: Final[Sequence[Claim]] = (
    (
        "checkouts_are_paid_or_not",
        "the orders of a checkout are all paid, or none is; its cart says the same",
        _ALL_OR_NONE,
    ),
    (
        "nothing_is_half_done",
        "no checkout is pending, and no order about to be shipped or cancelled, for more than {limit_s} s",
        _NOTHING_HALF_DONE,
    ),
)
"""Name, claim and query: what is half done may be so for `{limit_s}`."""


def of_tenants(limit_s: float) -> Sequence[Claim]:
    """The same, for so many seconds."""
    return [
        (name, claim.format(limit_s=f"{limit_s:g}"), query.replace("{limit_s}", f"{limit_s:g}"))
        for name, claim, query in OF_TENANTS
    ]
