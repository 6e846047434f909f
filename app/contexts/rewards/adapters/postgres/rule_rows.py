"""Rows of rules, and what rules have given in this month."""

from collections.abc import Collection
from typing import Final

from app.contexts.rewards.adapters.postgres.user_rows import keys
from app.contexts.rewards.application.books import Used
from app.contexts.rewards.domain.ids import RuleId
from app.contexts.rewards.domain.rule import Rule, month_of
from app.kernel.ids import UserId
from app.kernel.money import Currency
from app.kernel.principal import TenantId
from app.platform.postgres.pipeline import Call, Row, Statement

_COLUMNS: Final = """
    r.tenant_id, r.id, r.basis_points, r.currency, r.category, r.merchant, r.starts_at, r.ends_at, r.cap, r.min_amount,
    r.is_active, r.created_at
"""
IN_FORCE: Final = Statement(f"""
    SELECT {_COLUMNS} FROM rewards.rules r
    WHERE r.tenant_id = %b::uuid AND r.is_active AND r.currency = ANY(%b::text[])
""")
# By the database's clock. What was given in the month that just began is all that there is of it. In the order of an
# index that has all of it: along the primary key whatever somebody has ever earned would be looked through.
USED: Final = Statement("""
    SELECT k.user_id, r.id, m.begins, given.amount
    FROM unnest(%b::smallint[], %b::uuid[]) AS k (bucket, user_id)
    CROSS JOIN rewards.rules r
    CROSS JOIN (SELECT date_trunc('month', clock_timestamp(), 'UTC') AS begins OFFSET 0) m
    CROSS JOIN LATERAL (
        SELECT sum(ordered.amount) AS amount FROM (
            SELECT e.amount FROM rewards.entries e
            WHERE e.bucket = k.bucket AND e.user_id = k.user_id AND e.rule_id = r.id AND e.tenant_id = r.tenant_id
                AND e.created_at >= m.begins
            ORDER BY e.created_at
            OFFSET 0
        ) ordered
    ) given
    WHERE r.tenant_id = %b::uuid AND r.is_active AND r.currency = ANY(%b::text[]) AND r.cap IS NOT NULL
        AND given.amount IS NOT NULL
""")
ALL: Final = Statement(f"""
    SELECT {_COLUMNS} FROM rewards.rules r WHERE r.tenant_id = %b::uuid ORDER BY r.created_at, r.id
""")
LOCK: Final = Statement(f"""
    SELECT {_COLUMNS} FROM rewards.rules r WHERE r.tenant_id = %b::uuid AND r.id = %b::uuid FOR NO KEY UPDATE OF r
""")
INSERT: Final = Statement("""
    INSERT INTO rewards.rules (tenant_id, id, basis_points, currency, category, merchant, starts_at, ends_at, cap,
        min_amount, is_active, created_at, updated_at)
    VALUES (%b::uuid, %b::uuid, %b::bigint, %b::text, %b::text, %b::text, %b::timestamptz, %b::timestamptz,
        %b::text::numeric, %b::bigint, %b::boolean, %b::timestamptz, %b::timestamptz)
""")
UPDATE: Final = Statement("""
    UPDATE rewards.rules r
    SET basis_points = %b::bigint, currency = %b::text, category = %b::text, merchant = %b::text,
        starts_at = %b::timestamptz, ends_at = %b::timestamptz, cap = %b::text::numeric, min_amount = %b::bigint,
        is_active = %b::boolean, updated_at = clock_timestamp()
    WHERE r.tenant_id = %b::uuid AND r.id = %b::uuid
""")


def in_force(tenant_id: TenantId, currencies: Collection[Currency]) -> Call:
    """The statement that reads the rules of purchases in these currencies; `rule_of` reads its rows."""
    return IN_FORCE, (tenant_id, list(currencies))


def used(tenant_id: TenantId, users: Collection[UserId], currencies: Collection[Currency]) -> Call:
    """The statement that reads what those of them with a cap have given users in this month."""
    return USED, (*keys(users), tenant_id, list(currencies))


def insert(rule: Rule) -> Call:
    """The statement that writes a new rule."""
    return INSERT, (rule.tenant_id, rule.id, *_said(rule), rule.created_at, rule.created_at)


def update(rule: Rule) -> Call:
    """The statement that writes a rule as it is now. It is locked."""
    return UPDATE, (*_said(rule), rule.tenant_id, rule.id)


def rule_of(row: Row) -> Rule:
    """The rule in a row."""
    (
        tenant_id, id_, basis_points, currency, category, merchant, starts_at, ends_at, cap, min_amount, is_active,
        created_at,
    ) = row  # fmt: skip
    return Rule(
        id=RuleId(id_),
        tenant_id=TenantId(tenant_id),
        basis_points=basis_points,
        currency=Currency(currency),
        category=category,
        merchant=merchant,
        starts_at=starts_at,
        ends_at=ends_at,
        cap=None if cap is None else int(cap),
        min_amount=min_amount,
        is_active=is_active,
        created_at=created_at,
    )


def used_of(row: Row) -> tuple[Used, int]:
    """What a rule has given somebody in a month."""
    user_id, rule_id, begins, amount = row
    return (UserId(user_id), RuleId(rule_id), month_of(begins)), int(amount)


def _said(rule: Rule) -> tuple[object, ...]:
    return (
        rule.basis_points, rule.currency, rule.category, rule.merchant, rule.starts_at, rule.ends_at,
        None if rule.cap is None else str(rule.cap), rule.min_amount, rule.is_active,
    )  # fmt: skip
