"""Change the rules, for admins: add one, change one."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app.contexts.rewards.application.ports import Rules
from app.contexts.rewards.domain.ids import RuleId
from app.contexts.rewards.domain.refusals import RuleNotFound, Unfit
from app.contexts.rewards.domain.rule import Rule
from app.kernel.new_ids import Ids
from app.kernel.principal import TenantId


@dataclass(frozen=True, slots=True)
class ChangeRules:
    """Changes rules. What was given by one before stands as it is."""

    rules: Rules
    ids: Ids

    async def add(self, tenant_id: TenantId, said: Mapping[str, Any]) -> Rule:
        """A rule as it is said: by the names of its members.

        Raises:
            Unfit: it cannot be like that.
            Unavailable: it cannot be done now.
        """
        rule_id = RuleId(self.ids())

        def make(now: datetime) -> Rule:
            return _fit(Rule(id=rule_id, tenant_id=tenant_id, created_at=now, **said))

        return await self.rules.add(tenant_id, make)

    async def change(self, tenant_id: TenantId, rule_id: RuleId, said: Mapping[str, Any]) -> Rule:
        """The rule with those of its members changed that are said.

        Raises:
            RuleNotFound: there is none with that id.
            Unfit: it cannot be like that.
            Unavailable: it cannot be done now.
        """
        changed = await self.rules.change(tenant_id, rule_id, lambda rule: _fit(replace(rule, **said)))
        if changed is None:
            raise RuleNotFound
        return changed


def _fit(rule: Rule) -> Rule:
    if rule.starts_at is not None and rule.ends_at is not None and rule.ends_at <= rule.starts_at:
        raise Unfit("until", "must be later than from")
    return rule
