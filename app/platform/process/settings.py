"""Settings: what there is to set, of the platform and of a context, and what of it contradicts itself."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple, Self, TypeVar

import msgspec
from msgspec import Meta

from app.platform.process.operators import operators_of
from app.platform.process.quotas import QuotaText
from app.platform.process.redis_urls import RedisUrl
from app.platform.process.urls import database_url, host, is_url, listed, network, origin, secret

Port = Annotated[int, Meta(ge=0, le=65535)]
Seconds = Annotated[float, Meta(gt=0, le=86_400)]
Hours = Annotated[float, Meta(gt=0, le=87_600)]
Count = Annotated[int, Meta(ge=1, le=100_000)]
DatabaseUrl = Annotated[str, Meta(extra={"check": database_url})]
Host = Annotated[str, Meta(extra={"check": host})]
CommaList = Annotated[str, Meta(extra={"is_list": True})]
"""Entries with commas between them; blanks around each do not count."""


class InvalidSettings(Exception):  # noqa: N818 -- the name is the message
    """A setting is missing, wrong, or contradicts another; the message names it."""


class Setting(NamedTuple):
    """A setting: its name in the environment, its attribute here, its type, and what it is where none is given."""

    name: str
    attribute: str
    type: Any
    default: Any

    def says(self, what: str) -> Any:
        """What its type says of it, besides what may be in it."""
        return next(
            (each.extra[what] for each in getattr(self.type, "__metadata__", ()) if each.extra and what in each.extra),
            None,
        )

    def checked(self, value: Any) -> Any:
        """The value as it is used, once it is known to be a URL or a host, where it has to be one.

        Raises:
            InvalidSettings: it is none. The message does not quote it: passwords are in URLs.
        """
        check: Callable[[str], str] | None = self.says("check")
        if not check or not value:
            return value
        try:
            return check(value)
        except ValueError as error:
            raise InvalidSettings(f"{self.name} {error}") from None


class Section(msgspec.Struct, frozen=True, kw_only=True, rename="upper"):
    """Settings that belong together, named as in the environment. `_s` are seconds, `_h` hours."""

    def __post_init__(self) -> None:
        for setting in settings_of(type(self)):
            given = getattr(self, setting.attribute)
            msgspec.structs.force_setattr(self, setting.attribute, setting.checked(given))

    def agree_with(self, platform: "Settings") -> None:
        """See whether nothing here contradicts the platform's settings.

        Raises:
            InvalidSettings: something does; the message names it.
        """


S = TypeVar("S", bound=Section)


class Home(NamedTuple):
    """The database of a context: as its services log in, and as its migrations do."""

    url: str
    owner_url: str


class PlatformSettings(Section, frozen=True, kw_only=True):
    """The settings of the platform."""

    contexts: CommaList = ""
    database_url: DatabaseUrl = ""
    migrate_database_url: DatabaseUrl = ""
    audit_database_url: DatabaseUrl = ""
    migrate_audit_database_url: DatabaseUrl = ""
    rabbitmq_url: CommaList = ""
    redis_url: RedisUrl = ""
    cache_l1_mb: Annotated[int, Meta(ge=0, le=100_000)] = 100
    cache_sole_writer: bool = False
    api_keys: CommaList = ""
    extra_currencies: CommaList = "USDC"
    expose_docs: bool = True
    expose_metrics: bool = True
    http_host: Host = "127.0.0.1"
    http_port: Port = 8080
    http_keep_alive_s: Annotated[int, Meta(ge=1, le=86_400)] = 75
    http_workers: Annotated[int, Meta(ge=1, le=64)] = 1
    cors_origins: Annotated[str, Meta(extra={"is_list": True, "check": listed(origin)})] = ""
    trusted_proxies: Annotated[str, Meta(extra={"is_list": True, "check": listed(network)})] = ""
    forwarded_header: Literal["x-forwarded-for", "forwarded"] = "x-forwarded-for"
    request_timeout_s: Seconds = 10.0
    recover_after_s: Seconds = 15.0
    recover_every_s: Seconds = 1.0
    rate_limit_ip: QuotaText = "50:200"
    rate_limit_user: QuotaText = "20:100"
    rate_limit_wallet: QuotaText = "5:20"
    rate_limit_login: QuotaText = "0.2:10"
    outbox_retention_h: Hours = 24.0
    idempotency_ttl_h: Hours = 24.0
    shutdown_grace_s: Seconds = 15.0
    metrics_port: Port = 9101
    relay_metrics_port: Port = 0
    recover_metrics_port: Port = 0
    consumer_metrics_port: Port = 0
    console_host: Host = "127.0.0.1"
    console_port: Port = 8090
    console_keys: CommaList = ""
    console_url: Annotated[str, Meta(extra={"check": origin})] = ""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"
    log_hash_key: Annotated[str, Meta(extra={"check": secret})] = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        for number, broker in enumerate(entries(self.rabbitmq_url), start=1):
            if not is_url(broker, "amqp", "amqps"):
                raise InvalidSettings(f"RABBITMQ_URL: broker {number} is not an amqp:// or amqps:// URL")
        if self.api_keys and not self.keys:
            raise InvalidSettings("API_KEYS holds no key")
        _ = self.operators
        if self.recover_after_s <= self.request_timeout_s:
            raise InvalidSettings(
                f"RECOVER_AFTER_S ({self.recover_after_s:g}) must exceed "
                f"REQUEST_TIMEOUT_S ({self.request_timeout_s:g}): "
                "recovery takes something over only when the request for it is over"
            )
        for code in self.currencies:
            if not (3 <= len(code) <= 5 and code.isascii() and code.isalpha() and code.isupper()):
                raise InvalidSettings(f"EXTRA_CURRENCIES: {code!r} is not three to five capital letters")

    @property
    def currencies(self) -> tuple[str, ...]:
        """The currencies beyond ISO 4217's."""
        return entries(self.extra_currencies)

    @property
    def keys(self) -> tuple[str, ...]:
        """The API keys."""
        return entries(self.api_keys)

    @property
    def operators(self) -> Mapping[str, str]:
        """The keys of the console, by the names of the operators who hold them. No message quotes one."""
        try:
            operators = operators_of(entries(self.console_keys))
        except ValueError as error:
            raise InvalidSettings(f"CONSOLE_KEYS: {error}") from None
        if self.console_keys.strip() and not operators:
            raise InvalidSettings("CONSOLE_KEYS holds no key")
        return operators

    @property
    def owner_url(self) -> str:
        """Where migrations run: the owner's URL of the database."""
        return self.migrate_database_url or self.database_url

    @property
    def consumers_url(self) -> str:
        """The database of the consumers."""
        return self.audit_database_url or self.database_url

    @property
    def consumers_owner_url(self) -> str:
        """Where the consumers' migrations run."""
        return self.migrate_audit_database_url or self.audit_database_url or self.owner_url


class Settings(PlatformSettings, frozen=True, kw_only=True):
    """All of them: the platform's own, and the sections of the contexts that are switched on."""

    sections: Mapping[str, Section] = {}
    homes: Mapping[str, Home] = {}
    """The databases of those contexts that have one of their own."""

    def of(self, kind: type[S]) -> S:
        """A context's own settings, by their type.

        Raises:
            InvalidSettings: the context is switched off.
        """
        for section in self.sections.values():
            if isinstance(section, kind):
                return section
        name = kind.__name__.removesuffix("Settings").lower()
        raise InvalidSettings(f"CONTEXTS: {name} is switched off")

    def url_setting(self, context: str) -> str:
        """The setting that says where a context keeps what it keeps."""
        return f"{context.upper()}_DATABASE_URL" if context in self.homes else "DATABASE_URL"

    def home(self, context: str) -> Home:
        """Where a context keeps what it keeps."""
        return self.homes.get(context) or Home(self.database_url, self.owner_url)

    def require(self, *names: str) -> Self:
        """The settings, once each of the named ones (`"database_url"`) is given, the platform's or a context's.

        Raises:
            InvalidSettings: one is not; the message names it.
        """
        for name in names:
            if not any(getattr(section, name, None) for section in (self, *self.sections.values())):
                raise InvalidSettings(f"{name.upper()} is not set")
        return self

    def port(self, name: str) -> int:
        """The port of the named setting (`"relay_metrics_port"`), the platform's or a context's; 0 is no port."""
        port = self._value(name)
        assert isinstance(port, int)
        return port

    def text(self, name: str) -> str:
        """The text of the named setting (`"GATEWAY_URL"`), the platform's or a context's; a 0 is no text."""
        return str(self._value(name.lower()) or "")

    def _value(self, name: str) -> object:
        holder = next(section for section in (self, *self.sections.values()) if hasattr(section, name))
        return getattr(holder, name)


@cache
def settings_of(section: type[Section]) -> tuple[Setting, ...]:
    """What there is to set in a section."""
    platform = issubclass(section, PlatformSettings)
    fields = msgspec.structs.fields(PlatformSettings if platform else section)
    return tuple(Setting(field.encode_name, field.name, field.type, field.default) for field in fields)


def entries(listed: str) -> tuple[str, ...]:
    """The entries of a list, without blanks around them and without empty ones."""
    return tuple(filter(None, map(str.strip, listed.split(","))))
