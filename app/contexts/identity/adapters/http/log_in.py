"""POST /v1/auth/register and POST /v1/auth/login."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.contexts.identity.adapters.http import examples
from app.contexts.identity.adapters.http.answering import answer, count_log_in
from app.contexts.identity.adapters.http.bodies import LOG_IN_BODY, REGISTER_BODY, RegisterBody
from app.contexts.identity.adapters.http.errors import CHALLENGE, EMAIL_TAKEN, NOT_LOGGED_IN, USERNAME_TAKEN
from app.contexts.identity.adapters.http.signed_in import SignedIn, SignedInShape
from app.contexts.identity.adapters.http.views import UserAnswer, user_view
from app.contexts.identity.application.log_in import LogIn
from app.contexts.identity.application.register import Register
from app.contexts.identity.domain import passwords, rules
from app.contexts.identity.domain.account import NewUser
from app.contexts.identity.domain.refusals import LogInRefused
from app.kernel.ids import UserId
from app.kernel.new_ids import Ids
from app.kernel.principal import Role, TenantId
from app.platform.context import Http
from app.platform.http import codes
from app.platform.http.errors import Problem, validation
from app.platform.http.finishing import finished
from app.platform.http.operations import MAYBE_BEARER, Operation, Request, Success
from app.platform.http.replies import Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggingIn:
    """The handlers, with what they need."""

    register: Register
    log_in: LogIn
    signed_in: SignedIn
    ids: Ids
    fewest_characters: int
    """Of a password."""
    http: Http

    def operations(self) -> Sequence[Operation]:
        """What HTTP offers."""
        return [
            Operation(
                method="POST",
                template="/v1/auth/register",
                name="register",
                tag="people",
                summary="Become a user",
                description="It logs nobody in. Taken or not, the answer takes as long.",
                who=MAYBE_BEARER,
                is_log_in=True,
                buckets=("login",),
                handler=self.register_user,
                body=REGISTER_BODY,
                successes=(_REGISTERED,),
                refusals=(EMAIL_TAKEN, USERNAME_TAKEN, codes.UNAVAILABLE),
            ),
            Operation(
                method="POST",
                template="/v1/auth/login",
                name="logIn",
                tag="people",
                summary="Log in with e-mail and password",
                description="Unknown, wrong and disabled are one answer, and take as long.",
                who=MAYBE_BEARER,
                is_log_in=True,
                buckets=("login",),
                handler=self.log_user_in,
                body=LOG_IN_BODY,
                successes=(LOGGED_IN,),
                refusals=(NOT_LOGGED_IN, codes.UNAVAILABLE),
            ),
        ]

    async def register_user(self, request: Request) -> Reply:
        """Make a user of whoever asks."""
        body = request[REGISTER_BODY]
        if why := passwords.complaint(body.password, self.fewest_characters):
            raise validation({"password": why})
        new = _new_user(UserId(self.ids()), request.tenant_id, body)
        await count_log_in(request, new.email)
        user = await finished(self.http, self.register(new, body.password))
        await request.give_back_log_in()
        return answer(201, UserAnswer(user_view(user)))

    async def log_user_in(self, request: Request) -> Reply:
        """Let whoever asks in, if it is who they say."""
        body = request[LOG_IN_BODY]
        email = rules.email(body.email)
        await count_log_in(request, email or body.email)
        try:
            user, pair = await finished(self.http, self.log_in(request.tenant_id, email, body.password))
        except LogInRefused as refusal:
            raise Problem(NOT_LOGGED_IN, str(refusal), headers=CHALLENGE) from None
        await request.give_back_log_in()
        return self.signed_in.reply(user, pair)


def _new_user(id: UserId, tenant_id: TenantId, body: RegisterBody) -> NewUser:
    return NewUser(
        id=id,
        tenant_id=tenant_id,
        role=Role(body.role or Role.CUSTOMER),
        email=rules.email(body.email),
        username=body.username,
        first_name=rules.name(body.first_name) if body.first_name is not None else None,
        last_name=rules.name(body.last_name) if body.last_name is not None else None,
        phone=rules.phone(body.phone) if body.phone is not None else None,
    )


_REGISTERED = Success(
    status=201,
    description="The user.",
    type=UserAnswer,
    example={"user": {**examples.USER, "first_name": None, "wallet_address": None}},
)
LOGGED_IN = Success(
    status=200,
    description="Who it is, and what one is let in by from now on: tokens, and cookies for a browser.",
    type=SignedInShape,
    example={
        "user": examples.USER,
        "access_token": "eyJhbGciOiJSUzI1NiIsInR5cCI6ImF0K2p3dCJ9.e30.c2ln",
        "token_type": "Bearer",
        "expires_in": 900,
        "refresh_token": "0193a5b27c4e7d108f213b6a9c0e5d42.x0Yz",
    },
    headers=("Set-Cookie",),
)
