"""The bodies of requests about people. Each rule is the domain's; what it makes of a text is what is kept."""

from collections.abc import Callable, Mapping
from typing import Annotated, Final, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from app.contexts.identity.domain import passwords, rules
from app.kernel.composed import MOST_FOR_ONE
from app.kernel.principal import Role
from app.kernel.writing import MOST_OF_A_URL
from app.platform.http.json_body import JsonBody, Rule

_PASSWORD_RULE: Final = f"must be a string of 1 to {passwords.MOST_CHARACTERS} characters"
_LONGEST_ATTEMPT: Final = 320


def _fits(rule: Callable[[str], str | None]) -> Callable[[str | UnsetType | None], bool]:
    """Whether a text obeys the rule; nothing said, and null, is for the type to allow."""
    return lambda given: not isinstance(given, str) or rule(given) is not None


EmailText = Annotated[str, Meta(max_length=rules.MOST_OF_AN_EMAIL, description="Kept trimmed and in lower case.")]
UsernameText = Annotated[str, Meta(pattern="^[a-z0-9_]{3,30}$", description="Does not begin with 0x.")]
NameText = Annotated[str, Meta(description="1 to 100 characters.")]
PhoneText = Annotated[str, Meta(max_length=rules.MOST_OF_A_PHONE)]
UrlText = Annotated[str, Meta(max_length=MOST_OF_A_URL, extra_json_schema={"format": "uri"})]
# How many characters a new one needs is a setting, and counted in NFC.
NewPasswordText = Annotated[str, Meta(description="Not one that everybody tries first.")]
# As it may be sent: what counts is how many characters it has in NFC.
PasswordText = Annotated[str, Meta(min_length=1, max_length=MOST_FOR_ONE * passwords.MOST_CHARACTERS)]

_USERNAME = Rule(rules.USERNAME_RULE, _fits(rules.username))
_EMAIL = Rule(rules.EMAIL_RULE, _fits(rules.email))
_NAME = Rule(rules.NAME_RULE, _fits(rules.name))
_PHONE = Rule(rules.PHONE_RULE, _fits(rules.phone))
_URL = Rule(rules.AVATAR_RULE, _fits(rules.avatar_url))
_PASSWORD = Rule(_PASSWORD_RULE)
_TRIED = Rule(_PASSWORD_RULE, _fits(passwords.tried))


class RegisterBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Who wants to be a user. Null is as good as nothing."""

    email: Annotated[EmailText, _EMAIL]
    password: Annotated[NewPasswordText, _PASSWORD]
    username: Annotated[UsernameText | None, _USERNAME] = None
    first_name: Annotated[NameText | None, _NAME] = None
    last_name: Annotated[NameText | None, _NAME] = None
    phone: Annotated[PhoneText | None, _PHONE] = None
    role: Annotated[Literal["customer", "seller"] | None, Rule("must be customer or seller")] = None


class LogInBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Who wants in. What cannot be anybody's e-mail is as wrong as one that nobody has."""

    email: Annotated[
        Annotated[str, Meta(min_length=1, max_length=_LONGEST_ATTEMPT)],
        Rule(f"must be a string of 1 to {_LONGEST_ATTEMPT} characters"),
    ]
    password: Annotated[PasswordText, _TRIED]


class MeBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What is to change of oneself; what is left out stays. Null clears a name, username, picture and phone."""

    first_name: Annotated[NameText | UnsetType | None, _NAME] = UNSET
    last_name: Annotated[NameText | UnsetType | None, _NAME] = UNSET
    username: Annotated[UsernameText | UnsetType | None, _USERNAME] = UNSET
    avatar_url: Annotated[UrlText | UnsetType | None, _URL] = UNSET
    phone: Annotated[PhoneText | UnsetType | None, _PHONE] = UNSET
    email: Annotated[EmailText | UnsetType, _EMAIL] = UNSET
    password: Annotated[NewPasswordText | UnsetType, _PASSWORD] = UNSET
    current_password: Annotated[PasswordText | UnsetType, _TRIED] = UNSET
    message: Annotated[str | UnsetType, Rule("must be a string, and comes with a signature")] = UNSET
    signature: Annotated[str | UnsetType, Rule("must be a string, and comes with a message")] = UNSET

    @property
    def texts(self) -> Mapping[str, str | None]:
        """What is said of what may be cleared, as it is kept."""
        return {
            name: rule(given) if isinstance(given, str) else None
            for name, rule in _TEXTS.items()
            if (given := getattr(self, name)) is not UNSET
        }


_TEXTS: Final[Mapping[str, Callable[[str], str | None]]] = {
    "first_name": rules.name,
    "last_name": rules.name,
    "username": rules.username,
    "avatar_url": rules.avatar_url,
    "phone": rules.phone,
}


class UserBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What is to change of somebody; what is left out stays."""

    role: Annotated[Role | UnsetType, Rule("must be customer, seller or admin")] = UNSET
    is_active: Annotated[bool | UnsetType, Rule("must be true or false")] = UNSET


REGISTER_BODY = JsonBody(
    RegisterBody,
    {"email": "ada@example.org", "password": "a line of a song", "username": "ada", "role": "customer"},
    "a registration",
)
LOG_IN_BODY = JsonBody(LogInBody, {"email": "ada@example.org", "password": "a line of a song"}, "a log-in")
ME_BODY = JsonBody(MeBody, {"first_name": "Ada", "phone": None}, "what can be changed")
USER_BODY = JsonBody(UserBody, {"is_active": False}, "what can be changed")
