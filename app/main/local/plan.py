"""Which processes a run consists of, and where they are reached."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from app.main import contexts
from app.main.local.supervisor import Part
from app.platform.context import StandIn
from app.platform.process.processes import CannotStart, free_port, is_free
from app.platform.process.settings import Section, Settings, settings_of

DEFAULTS = {
    "HTTP_PORT": 8080,
    "METRICS_PORT": 9101,
    "RELAY_METRICS_PORT": 9102,
    "CONSUMER_METRICS_PORT": 9104,
    "CONSOLE_PORT": 8090,
}
"""Of the platform's processes; those of contexts are in their records."""

S = TypeVar("S", bound=Section)

Ports = Mapping[str, int]
"""Where the run serves, by the settings' names. What is reached elsewhere has none."""


class Worker(NamedTuple):
    """What works beside the API: its command, and the setting of the port of its metrics, with its default here.

    Also a consumer of a context's, by its name.
    """

    name: str
    port: str
    default_port: int
    is_worker: bool = True


def workers(settings: Settings) -> Iterator[Worker]:
    """Recovery, where a context brings any, and the workers of the contexts."""
    switched_on = contexts.of(settings)
    if any(context.recovery for context in switched_on):
        yield Worker("recover", "RECOVER_METRICS_PORT", 9103)
    waiting = {name for name, _ in left_out(settings)}
    for worker in (worker for context in switched_on for worker in context.workers):
        if worker.name not in waiting:
            yield Worker(worker.name, worker.metrics_port.upper(), worker.local_metrics_port)


def left_out(settings: Settings) -> Iterator[tuple[str, StandIn]]:
    """Workers that cannot work yet: the outside is a user's own, and not prepared. And what would stand in for it."""
    for context in contexts.of(settings):
        for one in (one for one in context.stand_ins if one.gives and settings.text(one.setting)):
            if not settings.text(one.gives):
                yield from ((each.name, one) for each in context.workers if one.gives.lower() in each.required)


def consumers(settings: Settings) -> Iterator[Worker]:
    """The consumers of the contexts: processes of their own where there is a broker between processes."""
    for consumer in (consumer for context in contexts.of(settings) for consumer in context.consumers):
        port, default = consumer.metrics_port.upper(), consumer.local_metrics_port
        yield Worker(consumer.name, port, default, consumer.is_worker)


def stand_ins(settings: Settings) -> Iterator[StandIn]:
    """What stands in, here, for the outside of contexts: unless a setting says where that is."""
    for context in contexts.of(settings):
        yield from (one for one in context.stand_ins if not settings.text(one.setting))


def defaults(settings: Settings) -> Mapping[str, int]:
    """The ports of a run, where nothing else is asked for."""
    return (
        DEFAULTS
        | {one.port: one.default_port for one in stand_ins(settings)}
        | {worker.port: worker.default_port for worker in (*workers(settings), *consumers(settings))}
        | _other_ports(settings)
    )


def _other_ports(settings: Settings) -> dict[str, int]:
    every = (worker.local_ports for context in contexts.of(settings) for worker in context.workers)
    return {name: port for ports in every for name, port in ports.items()}


def choose_ports(settings: Settings, say: Callable[[str], None], environ: Mapping[str, str] = os.environ) -> Ports:
    """The ports of the settings. A default that is taken gives way to the next free one; one asked for does not.

    Raises:
        CannotStart: a port that was asked for is taken; the message names the setting.
    """
    usual = defaults(settings)
    given = {name: settings.port(name.lower()) for name in usual}
    asked = {name for name in usual if given[name] != usual[name] or environ.get(name, "").strip()}
    taken = {given[name] for name in asked}
    kept = {*taken, *usual.values()}
    hosts = {"CONSOLE_PORT": settings.console_host} | {one.port: "127.0.0.1" for one in stand_ins(settings)}

    def port(name: str, host: str) -> int:
        wanted, default = given[name], usual[name]
        if wanted == 0 and not name.endswith("_METRICS_PORT"):
            return free_port()
        if wanted and name in asked:
            if is_free(wanted, host):
                return wanted
            raise CannotStart(f"{name}: port {wanted} is in use on {host}; choose another, or end what uses it")
        # Here every process shows its metrics, though elsewhere 0 means that it does not.
        if default not in taken and is_free(default, host):
            return default
        following = range(default + 1, default + 100)
        other = next((one for one in following if one not in kept and is_free(one, host)), None) or free_port()
        kept.add(other)
        say(f"{name}: port {default} is in use, {other} is taken instead")
        return other

    ports = {name: port(name, hosts.get(name, settings.http_host)) for name in usual}
    if len(set(ports.values())) < len(ports):
        raise CannotStart(f"{', '.join(usual)} must differ")
    return ports


def places(settings: Settings) -> dict[str, str]:
    """Where the servers are that the settings name, as an environment."""
    names = [
        "RABBITMQ_URL",
        "REDIS_URL",
        *(one.setting for context in contexts.of(settings) for one in context.stand_ins),
    ]
    databases = ("DATABASE_URL", "AUDIT_DATABASE_URL")
    given = {name: settings.text(name) for name in (*names, *databases, *(f"MIGRATE_{name}" for name in databases))}
    for context, home in settings.homes.items():
        given |= {
            f"{context.upper()}_DATABASE_URL": home.url,
            f"MIGRATE_{context.upper()}_DATABASE_URL": home.owner_url,
        }
    return {name: value for name, value in given.items() if value}


def made_here(settings: Settings, ports: Ports, base: Path) -> dict[str, str]:
    """What contexts have a run set for itself, in its folder; as it is given where somebody has given it."""
    served = msgspec.structs.replace(
        _at(settings, ports), sections={name: _at(section, ports) for name, section in settings.sections.items()}
    )
    made: dict[str, str] = {}
    for context in contexts.of(settings):
        made |= context.local(served, base) if context.local else {}
    return {name: settings.text(name) or value for name, value in made.items()}


def _at(section: S, ports: Ports) -> S:
    """The section with the ports that are served."""
    served = {one.attribute: ports[one.name] for one in settings_of(type(section)) if one.name in ports}
    return msgspec.structs.replace(section, **served)


def outside(settings: Settings, environment: Mapping[str, str]) -> dict[str, str]:
    """Where the outside of contexts is, by name."""
    every = [one for context in contexts.of(settings) for one in context.stand_ins]
    return {one.name: environment[one.setting] for one in every}


def reachable(host: str) -> str:
    """The host part of a URL by which a server that listens on `host` is reached from this machine."""
    if host in ("", "0.0.0.0", "::"):  # noqa: S104 -- it is compared, not listened on
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def parts(settings: Settings, ports: Ports, in_process: bool, tool: tuple[str, ...]) -> list[tuple[Part, ...]]:
    """What runs, stage by stage in the order of the start; the end goes the other way round.

    `tool` is how Python runs the command line.
    """
    outside = tuple(
        Part(one.name, one.command, f"http://127.0.0.1:{ports[one.port]}{one.ready}") for one in stand_ins(settings)
    )
    own = tuple(Part(worker.name, (*tool, worker.name)) for worker in workers(settings))
    api_url = f"http://{reachable(settings.http_host)}:{ports['HTTP_PORT']}/readyz"
    console_url = f"http://{reachable(settings.console_host)}:{ports['CONSOLE_PORT']}/healthz"
    if in_process:
        # There is no broker between processes: relay and consumers share one.
        delivery: list[tuple[Part, ...]] = [(Part("relay", (*tool, "relay", "--in-process")),)]
    else:
        own_commands = {each.name: (*tool, each.name) for each in consumers(settings) if each.is_worker}
        names = ("metrics", "audit", *(consumer.name for consumer in consumers(settings)))
        taking = tuple(Part(name, own_commands.get(name, ("-m", "consumers", name))) for name in names)
        delivery = [taking, (Part("relay", (*tool, "relay")),)]
    served = [(Part("api", (*tool, "api"), api_url),), (Part("console", (*tool, "console"), console_url),)]
    return [stage for stage in (outside, *delivery, own, *served) if stage]
