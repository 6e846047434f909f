"""The invariants of people, each as a query for what contradicts it. An offender is a line of text, without anything
personal in it.

They see the rows of one tenant at a time, as anybody does. They hold against an owner who drops
constraints and indices: what is unique is counted.
"""

from typing import Final

_FAMILIES_HAVE_ONE_HEAD = """
    SELECT format('family %s of tenant %s has %s refresh tokens that are not spent', family_id, tenant_id, count(*))
    FROM identity.refresh_tokens WHERE spent_at IS NULL
    GROUP BY tenant_id, family_id HAVING count(*) > 1
    UNION ALL
    SELECT format('family %s of tenant %s is that of user %s, who does not exist', f.id, f.tenant_id, f.user_id)
    FROM identity.families f LEFT JOIN identity.users u ON u.tenant_id = f.tenant_id AND u.id = f.user_id
    WHERE u.id IS NULL
"""

_USERS_ARE_WELL_FORMED = r"""
    SELECT format('user %s of tenant %s: %s is not as it is kept', id, tenant_id, concat_ws(', ',
        CASE WHEN NOT username ~ '^[a-z0-9_]{3,30}$' OR username LIKE '0x%' THEN 'username' END,
        CASE WHEN email <> lower(email) OR NOT email ~ '^[!-~]{1,64}@[a-z0-9.-]{3,190}$' THEN 'email' END,
        CASE WHEN NOT wallet_address ~ '^0x[0-9a-fA-F]{40}$' THEN 'wallet_address' END,
        CASE WHEN NOT password_hash ~ '^[$](argon2id[$]v=19|2[aby])[$]' THEN 'password_hash' END,
        CASE WHEN password_hash IS NOT NULL AND email IS NULL THEN 'a password without an e-mail' END,
        CASE WHEN version < 1 THEN 'version' END))
    FROM identity.users
    WHERE NOT username ~ '^[a-z0-9_]{3,30}$' OR username LIKE '0x%' OR email <> lower(email)
        OR NOT email ~ '^[!-~]{1,64}@[a-z0-9.-]{3,190}$' OR NOT wallet_address ~ '^0x[0-9a-fA-F]{40}$'
        OR NOT password_hash ~ '^[$](argon2id[$]v=19|2[aby])[$]' OR password_hash IS NOT NULL AND email IS NULL
        OR version < 1
    UNION ALL
    SELECT format('users %s of tenant %s have one %s', string_agg(id::text, ', ' ORDER BY id), tenant_id, kind)
    FROM identity.users, LATERAL (
        VALUES ('username', username), ('email', email), ('wallet_address', lower(wallet_address)), ('id', id::text)
    ) AS own (kind, value)
    WHERE value IS NOT NULL
    GROUP BY tenant_id, kind, convert_to(value, 'UTF8') HAVING count(*) > 1
"""

OF_TENANTS: Final = (
    (
        "families_have_one_head",
        "no log-in has two refresh tokens that are not spent, and each is a user's",
        _FAMILIES_HAVE_ONE_HEAD,
    ),
    (
        "users_are_well_formed",
        "what is kept of users has its one spelling, and no two of a tenant share what tells them apart",
        _USERS_ARE_WELL_FORMED,
    ),
)
"""Name, claim and query."""
