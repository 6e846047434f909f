"""Settings: the environment, over an optional YAML file (STRONGBOX_CONFIG), over defaults."""

import os
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import msgspec
import yaml
from msgspec import Meta

from app.main.urls import database_url, gateway_url, host, is_url, origin

Port = Annotated[int, Meta(ge=0, le=65535)]
Seconds = Annotated[float, Meta(gt=0, le=86_400)]
Hours = Annotated[float, Meta(gt=0, le=87_600)]
Count = Annotated[int, Meta(ge=1, le=100_000)]

KEY_LENGTH = 16
"""Characters of an operator's key at the least."""
_PLACES = {
    **dict.fromkeys(
        ("database_url", "migrate_database_url", "audit_database_url", "migrate_audit_database_url"), database_url
    ),
    "gateway_url": gateway_url,
    "console_url": origin,
    "http_host": host,
    "console_host": host,
}
_OPERATOR = re.compile(r"[A-Za-z0-9._@-]{1,64}")


class InvalidSettings(Exception):  # noqa: N818 -- the name is the message
    """A setting is missing, wrong, or contradicts another; the message names it."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="upper"):
    """Every setting, named as in the environment. `_s` are seconds, `_h` hours."""

    database_url: str = ""
    migrate_database_url: str = ""
    audit_database_url: str = ""
    migrate_audit_database_url: str = ""
    rabbitmq_url: str = ""
    gateway_url: str = ""
    api_keys: str = ""
    extra_currencies: str = "USDC"
    expose_docs: bool = True
    expose_metrics: bool = True
    http_host: str = "127.0.0.1"
    http_port: Port = 8080
    http_keep_alive_s: Annotated[int, Meta(ge=1, le=86_400)] = 75
    http_workers: Annotated[int, Meta(ge=1, le=64)] = 1
    request_timeout_s: Seconds = 10.0
    gateway_timeout_s: Seconds = 2.0
    gateway_attempts: Annotated[int, Meta(ge=1, le=10)] = 3
    gateway_concurrency: Count = 512
    breaker_failures: Count = 20
    breaker_reset_s: Annotated[float, Meta(gt=0, lt=10)] = 5.0
    recover_after_s: Seconds = 15.0
    recover_every_s: Seconds = 1.0
    idempotency_ttl_h: Hours = 24.0
    outbox_retention_h: Hours = 24.0
    shutdown_grace_s: Seconds = 15.0
    metrics_port: Port = 9101
    relay_metrics_port: Port = 0
    recover_metrics_port: Port = 0
    consumer_metrics_port: Port = 0
    mock_gateway_port: Port = 8081
    mock_gateway_mode: Literal[
        "happy", "timeout", "500", "declined", "latency", "random", "429", "reset", "garbage", "wrong_amount"
    ] = "happy"
    console_host: str = "127.0.0.1"
    console_port: Port = 8090
    console_keys: str = ""
    console_url: str = ""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"

    def __post_init__(self) -> None:
        if self.recover_after_s <= self.request_timeout_s:
            raise InvalidSettings(
                f"RECOVER_AFTER_S ({self.recover_after_s:g}) must exceed "
                f"REQUEST_TIMEOUT_S ({self.request_timeout_s:g}): "
                "recovery takes a payment over only when its request is over"
            )
        if self.gateway_timeout_s >= self.request_timeout_s:
            raise InvalidSettings(
                f"GATEWAY_TIMEOUT_S ({self.gateway_timeout_s:g}) must be below "
                f"REQUEST_TIMEOUT_S ({self.request_timeout_s:g})"
            )
        self._check_places()
        if self.api_keys and not self.keys:
            raise InvalidSettings("API_KEYS holds no key")
        _ = self.operators
        for code in self.currencies:
            if not (3 <= len(code) <= 5 and code.isascii() and code.isalpha() and code.isupper()):
                raise InvalidSettings(f"EXTRA_CURRENCIES: {code!r} is not three to five capital letters")

    def _check_places(self) -> None:
        """See whether URLs and hosts are any. No message quotes one: passwords are in them."""
        for name, check in _PLACES.items():
            if given := getattr(self, name):
                try:
                    msgspec.structs.force_setattr(self, name, check(given))
                except ValueError as error:
                    raise InvalidSettings(f"{name.upper()} {error}") from None
        for number, broker in enumerate(filter(None, map(str.strip, self.rabbitmq_url.split(","))), start=1):
            if not is_url(broker, "amqp", "amqps"):
                raise InvalidSettings(f"RABBITMQ_URL: broker {number} is not an amqp:// or amqps:// URL")

    @property
    def currencies(self) -> tuple[str, ...]:
        """The currencies beyond ISO 4217's."""
        return tuple(code.strip() for code in self.extra_currencies.split(",") if code.strip())

    @property
    def keys(self) -> tuple[str, ...]:
        """The API keys."""
        return tuple(key.strip() for key in self.api_keys.split(",") if key.strip())

    @property
    def operators(self) -> Mapping[str, str]:
        """The keys of the console, by the names of the operators who hold them. No message quotes one."""
        operators: dict[str, str] = {}
        for number, pair in enumerate(filter(None, map(str.strip, self.console_keys.split(","))), start=1):
            name, colon, key = pair.partition(":")
            if not colon or not _OPERATOR.fullmatch(name):
                raise InvalidSettings(f"CONSOLE_KEYS: entry {number} is not name:key (letters, digits, and . _ @ -)")
            if len(key) < KEY_LENGTH or not (key.isascii() and key.isprintable()) or " " in key:
                raise InvalidSettings(f"CONSOLE_KEYS: the key of {name} has less than {KEY_LENGTH} visible characters")
            if name in operators or key in operators.values():
                raise InvalidSettings(f"CONSOLE_KEYS: {name} has a second key, or somebody else's")
            operators[name] = key
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

    def require(self, *names: str) -> Self:
        """The settings, once each of the named ones (`"database_url"`) is given.

        Raises:
            InvalidSettings: one is not; the message names it.
        """
        for name in names:
            if not getattr(self, name):
                raise InvalidSettings(f"{name.upper()} is not set")
        return self


def load(environ: Mapping[str, str] | None = None, found: Mapping[str, str] | None = None) -> Settings:
    """Read the settings. `found` is what a run in this folder serves: it stands below environment and file.

    Raises:
        InvalidSettings: a value is wrong or contradicts another, or the file cannot be read.
    """
    environ = os.environ if environ is None else environ
    values: dict[str, Any] = {name: value for name, value in (found or {}).items() if name in _TYPES}
    if path := environ.get("STRONGBOX_CONFIG", "").strip():
        values |= _file(Path(path))
    # An empty variable counts as not set, as compose files and CI systems produce them.
    values |= {name: environ[name] for name in Settings.__struct_encode_fields__ if environ.get(name, "").strip()}
    settings = Settings()
    converted = {name: _convert(name, _trimmed(name, value)) for name, value in values.items()}
    try:
        return msgspec.convert(msgspec.to_builtins(settings) | converted, Settings)
    except msgspec.ValidationError as error:
        cause = error.__cause__
        raise InvalidSettings(str(cause) if isinstance(cause, InvalidSettings) else str(error)) from None


_TYPES = {field.encode_name: field.type for field in msgspec.structs.fields(Settings)}


_LISTS = frozenset({"API_KEYS", "CONSOLE_KEYS", "EXTRA_CURRENCIES", "RABBITMQ_URL"})


def _trimmed(name: str, value: object) -> object:
    """The value without what stands around it, or around the entries of a list. In it nothing is that is not seen."""
    if not isinstance(value, str):
        return value
    text = ",".join(map(str.strip, value.split(","))) if name in _LISTS else value.strip()
    if not text.isprintable():
        raise InvalidSettings(f"{name} has a character in it that cannot be seen: a line feed, perhaps")
    return text


def _convert(name: str, value: object) -> object:
    if name not in _TYPES:
        raise InvalidSettings(f"{name} is not a setting")
    try:
        return msgspec.convert(value, _TYPES[name], strict=False)
    except msgspec.ValidationError as error:
        raise InvalidSettings(f"{name}: {str(error)[0].lower()}{str(error)[1:]}") from None


def _file(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        tree, content = yaml.compose(text, yaml.SafeLoader), yaml.safe_load(text)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidSettings(f"STRONGBOX_CONFIG: {path} cannot be read: {type(error).__name__}") from None
    if content is None:
        return {}
    if not isinstance(content, dict) or not isinstance(tree, yaml.MappingNode):
        raise InvalidSettings(f"STRONGBOX_CONFIG: {path} is not a mapping of names to values")
    # Of two the last would win, and nobody would notice that the other does not count.
    given = Counter(str(key.value).upper() for key, _ in tree.value)
    if twice := [name for name, times in given.items() if times > 1]:
        raise InvalidSettings(f"STRONGBOX_CONFIG: {path} has {', '.join(twice)} twice")
    return {str(name).upper(): value for name, value in content.items() if value is not None}
