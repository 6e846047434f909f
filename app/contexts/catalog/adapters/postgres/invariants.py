"""The invariants of the stock, each as a query for what contradicts it. An offender is a line of ids and numbers.

They see the rows of one tenant at a time, as anybody does. They hold against an owner who drops constraints.
"""

from typing import Final

_STOCK_ADDS_UP = """
    SELECT format('product %s of tenant %s: %s reserved, %s left, %s sold, %s put in, version %s',
                  id, tenant_id, reserved, quantity, sold, put_in, version)
    FROM catalog.products
    WHERE (reserved BETWEEN 0 AND quantity AND sold >= 0 AND sold::numeric + quantity = put_in AND version >= 1
           AND bucket = get_byte(uuid_send(id), 15) & 15) IS NOT TRUE
"""

# A product may have no lines, and lines, if somebody has removed it, no product.
_STOCK_IS_WHAT_RESERVATIONS_SAY = """
    SELECT format('product %s of tenant %s: %s reserved and %s sold, %s and %s by its lines',
                  coalesce(p.id, l.product_id), coalesce(p.tenant_id, l.tenant_id), coalesce(p.reserved::text, 'none'),
                  coalesce(p.sold::text, 'none'), coalesce(l.reserved, 0), coalesce(l.taken, 0))
    FROM catalog.products p
    FULL JOIN (
        SELECT tenant_id, product_id, coalesce(sum(qty) FILTER (WHERE status = 'RESERVED'), 0) AS reserved,
               coalesce(sum(qty) FILTER (WHERE status = 'TAKEN'), 0) AS taken
        FROM catalog.reservation_lines GROUP BY tenant_id, product_id
    ) l ON l.product_id = p.id
    WHERE p.id IS NULL OR (p.reserved, p.sold) IS DISTINCT FROM (coalesce(l.reserved, 0), coalesce(l.taken, 0))
"""

_NAMED = "format('reservation %s of %s, %s, of tenant %s: %s', r.name, r.context, r.business_id, r.tenant_id, {what})"

_RESERVATIONS_HAPPENED_ONCE = f"""
    WITH made AS (
        SELECT tenant_id, context, business_id, name, count(*) AS lines, bool_and(bucket = get_byte(
            uuid_send(business_id), 15) & 15) AS in_bucket,
            bool_and(qty > 0 AND status IN ('RESERVED', 'TAKEN', 'RETURNED')) AS well_formed
        FROM catalog.reservation_lines GROUP BY tenant_id, context, business_id, name
    )
    SELECT {_NAMED.format(what="concat_ws(', ', CASE WHEN r.forbidden THEN 'forbidden' END, CASE WHEN r.refused IS NOT NULL THEN 'refused' END, coalesce(m.lines, 0) || ' lines')")}
    FROM catalog.reservations r
    LEFT JOIN made m USING (tenant_id, context, business_id, name)
    WHERE (num_nonnulls(nullif(r.forbidden, false), r.refused, m.lines) = 1 AND r.forbidden = (r.fingerprint IS NULL)
           AND r.bucket = get_byte(uuid_send(r.business_id), 15) & 15 AND coalesce(m.in_bucket AND m.well_formed, true))
        IS NOT TRUE
    UNION ALL
    SELECT {_NAMED.format(what="'it has lines, and is not there'")}
    FROM made r
    WHERE NOT EXISTS (SELECT FROM catalog.reservations o WHERE o.tenant_id = r.tenant_id AND o.context = r.context
                      AND o.business_id = r.business_id AND o.name = r.name)
    UNION ALL
    SELECT {_NAMED.format(what="count(*) || ' of them'")}
    FROM catalog.reservations r
    GROUP BY r.tenant_id, r.context, r.business_id, r.name HAVING count(*) > 1
"""  # noqa: E501 -- what is known of one is one expression

_PURCHASES_WERE_TAKEN = """
    WITH taken AS (
        SELECT r.tenant_id, r.buyer_id, l.product_id, count(*) AS times
        FROM catalog.reservations r
        JOIN catalog.reservation_lines l USING (tenant_id, bucket, context, business_id, name)
        WHERE r.buyer_id IS NOT NULL AND l.status = 'TAKEN'
        GROUP BY r.tenant_id, r.buyer_id, l.product_id
    )
    SELECT format('user %s of tenant %s took product %s %s times, and has bought it %s times', buyer_id, tenant_id,
                  product_id, coalesce(t.times, 0), coalesce(p.times, 0))
    FROM taken t FULL JOIN catalog.purchases p USING (tenant_id, buyer_id, product_id)
    WHERE t.times IS DISTINCT FROM p.times
"""

OF_TENANTS: Final = (
    (
        "stock_adds_up",
        "of every product no more is reserved than is left, and what is sold and what is left is what was put in",
        _STOCK_ADDS_UP,
    ),
    (
        "stock_is_what_reservations_say",
        "what is reserved of a product, and what is sold, is the sum of the lines that say so",
        _STOCK_IS_WHAT_RESERVATIONS_SAY,
    ),
    (
        "reservations_happened_once",
        "every reservation is there once, and was made, refused or forbidden",
        _RESERVATIONS_HAPPENED_ONCE,
    ),
    (
        "purchases_were_taken",
        "whoever bought a product took it, and has not given it back, so many times; and who took one has bought it",
        _PURCHASES_WERE_TAKEN,
    ),
)
"""Name, claim and query."""
