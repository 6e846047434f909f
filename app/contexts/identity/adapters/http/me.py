"""GET and PATCH /v1/auth/me."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from msgspec import UNSET

from app.contexts.identity.adapters.http import examples
from app.contexts.identity.adapters.http.answering import answer, count_log_in
from app.contexts.identity.adapters.http.bodies import ME_BODY, MeBody
from app.contexts.identity.adapters.http.errors import (
    ADDRESS_TAKEN,
    EMAIL_TAKEN,
    NO_SUCH_USER,
    NOT_PROVED,
    TOO_MANY_CHANGES,
    UNFIT,
    USERNAME_TAKEN,
    WRONG_PASSWORD,
    telling_what_is_not_proved,
)
from app.contexts.identity.adapters.http.views import UserAnswer, user_view
from app.contexts.identity.application.change_me import ChangeMe, Wanted
from app.contexts.identity.application.read_users import ReadUsers
from app.contexts.identity.domain import passwords, rules
from app.platform.context import Http
from app.platform.http import codes
from app.platform.http.errors import validation
from app.platform.http.finishing import finished
from app.platform.http.operations import BEARER, Operation, Request, Success
from app.platform.http.replies import Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Oneself:
    """The handlers, with what they need."""

    read: ReadUsers
    change: ChangeMe
    fewest_characters: int
    """Of a password."""
    http: Http

    def operations(self) -> Sequence[Operation]:
        """What HTTP offers."""
        get = Operation(
            method="GET",
            template="/v1/auth/me",
            name="getMe",
            tag="people",
            summary="Read who one is",
            who=BEARER,
            handler=self.get_me,
            successes=(_ME,),
            refusals=(NO_SUCH_USER, codes.UNAVAILABLE),
        )
        patch = replace(
            get,
            method="PATCH",
            name="changeMe",
            summary="Change what one is called, the e-mail, the password, the address",
            description="What is left out stays; null clears `first_name`, `last_name`, `username`, `avatar_url` and "
            "`phone`. `email` is set once. With `password` all other log-ins end. `message` and `signature` are those "
            "of a log-in with a wallet, and link its address.",
            handler=self.change_me,
            body=ME_BODY,
            refusals=(
                UNFIT, NOT_PROVED, WRONG_PASSWORD, EMAIL_TAKEN, USERNAME_TAKEN, ADDRESS_TAKEN, TOO_MANY_CHANGES,
                NO_SUCH_USER, codes.UNAVAILABLE,
            ),
        )  # fmt: skip
        return [get, patch]

    async def get_me(self, request: Request) -> Reply:
        """Who asks."""
        asker = request.asker
        user = await self.http.in_flight.read(self.read.one(asker.tenant_id, asker.id), self.http.timeout_s)
        return answer(200, UserAnswer(user_view(user)))

    async def change_me(self, request: Request) -> Reply:
        """Change what whoever asks says of themselves."""
        wanted = self._wanted(request[ME_BODY])
        if wanted.password is not None:
            await self._count(request)
        with telling_what_is_not_proved():
            user = await finished(self.http, self.change(request.asker, wanted))
        await request.give_back_log_in()
        return answer(200, UserAnswer(user_view(user)))

    async def _count(self, request: Request) -> None:
        """A password is tried: that is a log-in to the limits.

        Raises:
            Problem: too many were tried, of the asker's or from where they are.
        """
        asker = request.asker
        user = await self.http.in_flight.read(self.read.one(asker.tenant_id, asker.id), self.http.timeout_s)
        await request.take_log_in()
        await count_log_in(request, user.email)

    def _wanted(self, body: MeBody) -> Wanted:
        password = None if body.password is UNSET else body.password
        current = None if body.current_password is UNSET else body.current_password
        if current is not None and password is None:
            raise validation({"current_password": "comes with a password"})
        if password is not None and (why := passwords.complaint(password, self.fewest_characters)):
            raise validation({"password": why})
        return Wanted(
            texts=body.texts,
            email=None if body.email is UNSET else rules.email(body.email),
            password=password,
            current_password=current,
            signed=_signed(body),
        )


def _signed(body: MeBody) -> tuple[str, str] | None:
    if body.message is UNSET and body.signature is UNSET:
        return None
    if body.message is UNSET:
        raise validation({"message": "is required with a signature"})
    if body.signature is UNSET:
        raise validation({"signature": "is required with a message"})
    return body.message, body.signature


_ME = Success(status=200, description="The user.", type=UserAnswer, example={"user": examples.USER})
