"""The errors that requests about webhooks are answered with."""

from dataclasses import replace
from typing import Final

from app.contexts.webhooks.domain.endpoint import MOST_OF_A_TENANT
from app.contexts.webhooks.domain.refusals import (
    DeliveryNotFound,
    EndpointDisabled,
    EndpointNotFound,
    TooMany,
    Unfit,
)
from app.platform.http import codes
from app.platform.http.codes import ErrorCode

TOO_MANY: Final = ErrorCode(
    name="TOO_MANY",
    status=409,
    when=f"The tenant has {MOST_OF_A_TENANT} webhooks, as many as one may have.",
    message=str(TooMany(MOST_OF_A_TENANT)),
    details={},
    refusals=(TooMany,),
)
WEBHOOK_DISABLED: Final = ErrorCode(
    name="WEBHOOK_DISABLED",
    status=409,
    when="Nothing is sent to the webhook: it is disabled.",
    message=str(EndpointDisabled()),
    details={},
    refusals=(EndpointDisabled,),
)
NO_SUCH_WEBHOOK: Final = replace(
    codes.NOT_FOUND,
    when="There is no such webhook of this tenant.",
    message=str(EndpointNotFound()),
    refusals=(EndpointNotFound,),
)
NO_SUCH_DELIVERY: Final = replace(
    codes.NOT_FOUND,
    when="There is no such webhook of this tenant, or it has no such delivery.",
    message=str(DeliveryNotFound()),
    refusals=(DeliveryNotFound, EndpointNotFound),
)
UNFIT: Final = replace(
    codes.VALIDATION_ERROR,
    details={"url": "must lead to a public address"},
    refusals=(Unfit,),
    details_of=lambda refusal: {refusal.member: refusal.why},
)
