"""GET and POST /v1/rewards/rules, PATCH /v1/rewards/rules/{id}."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from msgspec import json

from app.contexts.rewards.adapters.http.bodies import CHANGE_BODY, RULE_BODY
from app.contexts.rewards.adapters.http.errors import NO_SUCH_RULE, UNFIT
from app.contexts.rewards.adapters.http.examples import RULE, RULE_ID
from app.contexts.rewards.adapters.http.views import RulesView, RuleView, rule_view
from app.contexts.rewards.application.change_rules import ChangeRules
from app.contexts.rewards.application.ports import Rules
from app.contexts.rewards.domain.ids import RuleId
from app.platform.context import Http
from app.platform.http import codes, queries
from app.platform.http.finishing import finished
from app.platform.http.operations import ADMINS, BEARER, Operation, Parameter, Request, Success
from app.platform.http.parameters import read_uuid
from app.platform.http.replies import Reply

TAG: Final = "cashback rules"
_ALL, _ONE = "/v1/rewards/rules", "/v1/rewards/rules/{id}"

_encode = json.Encoder().encode

RULE_PARAMETER: Parameter[RuleId] = Parameter(
    name="id",
    key="rule",
    where="path",
    read=lambda text: RuleId(read_uuid("id", text)),
    required=True,
    description="The rule, in any spelling of a UUID.",
    schema={"type": "string", "format": "uuid"},
    example=RULE_ID,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CashbackRules:
    """The handlers, with what they need."""

    rules: Rules
    change: ChangeRules
    http: Http

    def operations(self) -> Sequence[Operation]:
        """What HTTP offers of rules."""
        several = Operation(
            method="GET",
            template=_ALL,
            name="listCashbackRules",
            tag=TAG,
            summary="Read the rules of cashback",
            who=BEARER,
            access=ADMINS,
            handler=self.list_rules,
            successes=(_RULES,),
            refusals=(codes.UNAVAILABLE,),
        )
        add = Operation(
            method="POST",
            template=_ALL,
            name="addCashbackRule",
            tag=TAG,
            summary="Add a rule of cashback",
            description="Of all rules that fit a purchase the one holds that gives most; of those that give the same, "
            "the oldest.",
            who=BEARER,
            access=ADMINS,
            handler=self.add_rule,
            body=RULE_BODY,
            successes=(_ADDED,),
            refusals=(UNFIT, codes.UNAVAILABLE),
        )
        return [several, add, self._patch()]

    def _patch(self) -> Operation:
        return Operation(
            method="PATCH",
            template=_ONE,
            name="changeCashbackRule",
            tag=TAG,
            summary="Change a rule of cashback",
            description="What it has given before stands.",
            who=BEARER,
            access=ADMINS,
            handler=self.change_rule,
            parameters=(RULE_PARAMETER,),
            body=CHANGE_BODY,
            successes=(_CHANGED,),
            refusals=(UNFIT, NO_SUCH_RULE, codes.UNAVAILABLE),
        )

    async def list_rules(self, request: Request) -> Reply:
        """All of them."""
        reading = self.rules.all(request.asker.tenant_id)
        found = await self.http.in_flight.read(reading, self.http.timeout_s)
        return Reply(200, _encode(RulesView([*map(rule_view, found)])))

    async def add_rule(self, request: Request) -> Reply:
        """Add one."""
        said = self._known(request[RULE_BODY].said)
        rule = await finished(self.http, self.change.add(request.asker.tenant_id, said))
        return Reply(201, _encode(rule_view(rule)))

    async def change_rule(self, request: Request) -> Reply:
        """Change one."""
        said = self._known(request[CHANGE_BODY].said)
        changing = self.change.change(request.asker.tenant_id, request[RULE_PARAMETER], said)
        return Reply(200, _encode(rule_view(await finished(self.http, changing))))

    def _known(self, said: Mapping[str, Any]) -> Mapping[str, Any]:
        if problem := queries.unknown_currency(said.get("currency"), self.http.currencies):
            raise problem
        return said


_RULES: Final = Success(status=200, description="All of the tenant's.", type=RulesView, example={"rules": [RULE]})
_ADDED: Final = Success(status=201, description="The rule.", type=RuleView, example=RULE)
_CHANGED: Final = Success(status=200, description="The rule.", type=RuleView, example=RULE | {"basis_points": 150})
