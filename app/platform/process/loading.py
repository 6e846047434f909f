"""Reading the settings: the environment, over an optional YAML file (STRONGBOX_CONFIG), over defaults."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import yaml

from app.platform.context import Context
from app.platform.process.settings import (
    DatabaseUrl,
    Home,
    InvalidSettings,
    PlatformSettings,
    Section,
    Setting,
    Settings,
    entries,
    settings_of,
)


def load(
    known: Sequence[Context[Any]] | None,
    environ: Mapping[str, str] | None = None,
    found: Mapping[str, str] | None = None,
) -> Settings:
    """Read the settings of the platform, and of those of the `known` contexts that CONTEXTS switches on.

    `found` is what a run in this folder serves: it stands below environment and file. A process that knows no context
    (None) passes over what is not the platform's, which may be one's.

    Raises:
        InvalidSettings: a value is wrong or contradicts another, or the file cannot be read.
    """
    environ = os.environ if environ is None else environ
    contexts = known or ()
    there = {setting.name: setting for setting in all_settings(contexts)}
    values: dict[str, Any] = {name: value for name, value in (found or {}).items() if name in there}
    if path := environ.get("STRONGBOX_CONFIG", "").strip():
        given = _file(Path(path))
        values |= given if known is not None else {name: given[name] for name in there if name in given}
    # An empty variable counts as not set, as compose files and CI systems produce them.
    values |= {name: environ[name] for name in there if environ.get(name, "").strip()}
    if unknown := next((name for name in values if name not in there), None):
        raise InvalidSettings(f"{unknown} is not a setting")
    platform = _converted(PlatformSettings, values)
    chosen = switched_on(contexts, platform.get("contexts", "")) if known is not None else ()
    sections = {context.name: context.settings(**_converted(context.settings, values)) for context in chosen}
    settings = Settings(**platform, sections=sections)
    for section in sections.values():
        section.agree_with(settings)
    homes = {context.name: home for context in chosen if (home := _home(context, settings, values))}
    return msgspec.structs.replace(settings, homes=homes)


def all_settings(contexts: Sequence[Context[Any]]) -> list[Setting]:
    """Everything that there is to set, whether its context is switched on or not."""
    settings = [*settings_of(PlatformSettings)]
    for context in contexts:
        settings += [*settings_of(context.settings), *_urls(context)]
    return settings


def switched_on(known: Sequence[Context[Any]], listed: str) -> tuple[Context[Any], ...]:
    """The contexts that CONTEXTS lists, in the order of their needs; all when it lists none.

    Raises:
        InvalidSettings: there is no such context, or one needs another that is not listed.
    """
    wanted = frozenset(entries(listed)) or {context.name for context in known}
    if unknown := sorted(wanted - {context.name for context in known}):
        names = ", ".join(context.name for context in known)
        raise InvalidSettings(f"CONTEXTS: there is no context {unknown[0]!r}, only {names}")
    for context in known:
        for need in context.needs:
            if context.name in wanted and need not in wanted:
                raise InvalidSettings(f"CONTEXTS: {context.name} needs {need}, which is not switched on")
    return tuple(context for context in known if context.name in wanted)


def _urls(context: Context[Any]) -> tuple[Setting, Setting]:
    """Where its database is, for its services and for its migrations."""
    name = f"{context.name.upper()}_DATABASE_URL"
    url, owner_url = (Setting(name, name.lower(), DatabaseUrl, "") for name in (name, f"MIGRATE_{name}"))
    return url, owner_url


def _home(context: Context[Any], settings: Settings, values: Mapping[str, Any]) -> Home | None:
    """The database of the context's own, if it is given one."""
    url, owner_url = (
        _convert(setting, values[setting.name]) if setting.name in values else "" for setting in _urls(context)
    )
    shared = Home(settings.database_url, settings.owner_url)
    if context.shares_database:
        for setting, given, ours in zip(_urls(context), (url, owner_url), shared, strict=True):
            if given and given != ours:
                prefix = "MIGRATE_" if setting.name.startswith("MIGRATE_") else ""
                raise InvalidSettings(
                    f"{setting.name} is another than {prefix}DATABASE_URL: {context.name} shares its transactions with "
                    "other contexts, and the database with them"
                )
        return None
    home = Home(url or shared.url, owner_url or url or shared.owner_url)
    return None if home == shared else home


def _converted(section: type[Section], values: Mapping[str, Any]) -> dict[str, Any]:
    return {s.attribute: _convert(s, values[s.name]) for s in settings_of(section) if s.name in values}


def _trimmed(setting: Setting, value: object) -> object:
    """The value without what stands around it, or around the entries of a list. In it nothing is that is not seen."""
    if not isinstance(value, str):
        return value
    text = ",".join(map(str.strip, value.split(","))) if setting.says("is_list") else value.strip()
    if not text.isprintable():
        raise InvalidSettings(f"{setting.name} has a character in it that cannot be seen: a line feed, perhaps")
    return text


def _convert(setting: Setting, value: object) -> Any:
    try:
        converted = msgspec.convert(_trimmed(setting, value), setting.type, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidSettings(f"{setting.name}: {str(error)[0].lower()}{str(error)[1:]}") from None
    return setting.checked(converted)


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
