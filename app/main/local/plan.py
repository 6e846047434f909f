"""Which processes a run consists of, and where they are reached."""

import os
from collections.abc import Callable, Mapping
from typing import NamedTuple

from app.main.local.processes import CannotStart, free_port, is_free
from app.main.local.supervisor import Part
from app.main.settings import Settings

DEFAULTS = {
    "HTTP_PORT": 8080,
    "METRICS_PORT": 9101,
    "MOCK_GATEWAY_PORT": 8081,
    "RELAY_METRICS_PORT": 9102,
    "RECOVER_METRICS_PORT": 9103,
    "CONSUMER_METRICS_PORT": 9104,
    "CONSOLE_PORT": 8090,
}


class Ports(NamedTuple):
    """Where the run serves; `gateway` is None when one was given. The last three serve metrics alone."""

    api: int
    metrics: int
    gateway: int | None
    relay: int
    recover: int
    audit: int
    console: int


def choose_ports(settings: Settings, say: Callable[[str], None], environ: Mapping[str, str] = os.environ) -> Ports:
    """The ports of the settings. A default that is taken gives way to the next free one; one asked for does not.

    Raises:
        CannotStart: a port that was asked for is taken; the message names the setting.
    """
    given: dict[str, int] = {name: getattr(settings, name.lower()) for name in DEFAULTS}
    asked = {name for name in DEFAULTS if given[name] != DEFAULTS[name] or environ.get(name, "").strip()}
    taken = {given[name] for name in asked}
    kept = {*taken, *DEFAULTS.values()}

    def port(name: str, host: str = "127.0.0.1") -> int:
        wanted, default = given[name], DEFAULTS[name]
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

    host = settings.http_host
    ports = Ports(
        api=port("HTTP_PORT", host),
        metrics=port("METRICS_PORT", host),
        gateway=None if settings.gateway_url else port("MOCK_GATEWAY_PORT"),
        relay=port("RELAY_METRICS_PORT", host),
        recover=port("RECOVER_METRICS_PORT", host),
        audit=port("CONSUMER_METRICS_PORT", host),
        console=port("CONSOLE_PORT", settings.console_host),
    )
    if len(set(ports)) < len(ports):
        raise CannotStart(f"{', '.join(DEFAULTS)} must differ")
    return ports


def reachable(host: str) -> str:
    """The host part of a URL by which a server that listens on `host` is reached from this machine."""
    if host in ("", "0.0.0.0", "::"):  # noqa: S104 -- it is compared, not listened on
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def parts(settings: Settings, ports: Ports, in_process: bool) -> list[tuple[Part, ...]]:
    """What runs, stage by stage in the order of the start; the end goes the other way round."""
    gateway = Part("gateway", ("-m", "mock_gateway"), f"http://127.0.0.1:{ports.gateway}/health")
    relay = Part("relay", ("-m", "app", "relay"))
    recover = Part("recover", ("-m", "app", "recover"))
    api = Part("api", ("-m", "app", "api"), f"http://{reachable(settings.http_host)}:{ports.api}/readyz")
    where = f"http://{reachable(settings.console_host)}:{ports.console}/healthz"
    console = Part("console", ("-m", "app", "console"), where)
    if in_process:
        # There is no broker between processes: relay and consumers share one.
        delivery: list[tuple[Part, ...]] = [(Part("relay", ("-m", "app", "relay", "--in-process")),)]
    else:
        consumers = tuple(Part(name, ("-m", "consumers", name)) for name in ("metrics", "audit"))
        delivery = [consumers, (relay,)]
    return [*([(gateway,)] if ports.gateway else []), *delivery, (recover,), (api,), (console,)]
