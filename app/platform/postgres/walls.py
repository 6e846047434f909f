"""The walls between tenants, and around the services, as `strongbox verify` looks at them; and what is behind them.

A wall is checked by what PostgreSQL says of tables and roles. What is behind one is seen tenant by tenant.
"""

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from typing import Final

from app.platform.postgres.inspection import Session, see_tenant
from app.platform.postgres.integrity import rows

Claim = tuple[str, str, str]
"""A check's name, its claim, and the query for what contradicts it."""

_POLICY: Final = "(tenant_id = (NULLIF(current_setting('app.current_tenant'::text, true), ''::text))::uuid)"

# What has a tenant in it and is in no list is an offender, too; an outbox belongs to nobody.
_TENANTS_ARE_WALLED_OFF: Final = """
    WITH listed (name) AS (VALUES {tables}), known AS (
        SELECT c.oid, c.relname::text AS name, c.relrowsecurity AND c.relforcerowsecurity AS forced
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = '{schema}' AND c.relkind IN ('r', 'p')
    )
    SELECT format('{schema}.%s: there is no such table', l.name)
    FROM listed l LEFT JOIN known k ON k.name = l.name WHERE k.oid IS NULL
    UNION ALL
    SELECT format('{schema}.%s: row-level security is not forced on it', k.name)
    FROM known k JOIN listed l ON l.name = k.name WHERE NOT k.forced
    UNION ALL
    SELECT format('{schema}.%s: its policy is not the one of the migrations', k.name)
    FROM known k JOIN listed l ON l.name = k.name
    WHERE (
        SELECT count(*) = 1 AND bool_and(
            p.polcmd = '*' AND p.polroles = ARRAY[0::oid] AND pg_get_expr(p.polqual, p.polrelid) = $policy${policy}$policy$
            AND pg_get_expr(p.polwithcheck, p.polrelid) = $policy${policy}$policy$
        ) FROM pg_policy p WHERE p.polrelid = k.oid
    ) IS NOT TRUE
    UNION ALL
    SELECT format('{schema}.%s: it has a tenant_id, and is none of the tables of a tenant', k.name)
    FROM known k JOIN pg_attribute a ON a.attrelid = k.oid
    WHERE a.attname = 'tenant_id' AND NOT a.attisdropped AND k.name <> 'outbox_events'
        AND k.name NOT IN (SELECT name FROM listed)
"""  # noqa: E501 -- one expression is compared with another

_SERVICES_ARE_WALLED_IN: Final = """
    SELECT format('the role %s %s', r.rolname, concat_ws(', ',
        CASE WHEN r.rolsuper THEN 'is a superuser' END,
        CASE WHEN r.rolbypassrls THEN 'has BYPASSRLS' END,
        CASE WHEN owned.one IS NOT NULL THEN 'may do all that the owner of ' || owned.one || ' may' END))
    FROM pg_roles r CROSS JOIN LATERAL (
        SELECT min(c.relname::text) AS one FROM pg_class c
        WHERE c.relnamespace = '{schema}'::regnamespace AND c.relkind IN ('r', 'p')
            AND pg_has_role(r.oid, c.relowner, 'MEMBER')
    ) owned
    WHERE r.rolname IN ('strongbox_app', current_user) AND (r.rolsuper OR r.rolbypassrls OR owned.one IS NOT NULL)
"""


def walls(schema: str, tables: Collection[str], named: str = "{}") -> tuple[Claim, Claim]:
    """The checks of the walls in a schema, whose tables of a tenant these are. `named` makes their names its own."""
    listed = ", ".join(f"('{name}')" for name in tables)
    return (
        (
            named.format("tenants_are_walled_off"),
            f"every table of a tenant in {schema} shows its rows to that tenant alone, its owner included",
            _TENANTS_ARE_WALLED_OFF.format(schema=schema, tables=listed, policy=_POLICY),
        ),
        (
            named.format("services_are_walled_in"),
            f"the services own no table of {schema}, are no superusers, and do not bypass row-level security",
            _SERVICES_ARE_WALLED_IN.format(schema=schema),
        ),
    )


@dataclass(frozen=True, slots=True)
class Tenants:
    """All tenants: the query for their ids, and where it is to be asked."""

    connection: Session
    query: str


@dataclass(frozen=True, slots=True)
class OfTenants:
    """A claim that holds when its query finds nothing in any tenant."""

    connection: Session
    tenants: Tenants
    name: str
    claim: str
    query: str

    async def offenders(self) -> AsyncIterator[str]:
        """What the query finds, tenant by tenant."""
        for tenant in [tenant async for (tenant,) in rows(self.tenants.connection, self.tenants.query)]:
            await see_tenant(self.connection, tenant)
            async for (line,) in rows(self.connection, self.query):
                yield line
        await see_tenant(self.connection, "")
