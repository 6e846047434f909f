"""Which processes a run consists of, and where they are reached."""

import os
from collections.abc import Callable, Mapping
from typing import NamedTuple

from app.main.local.processes import CannotStart, free_port, is_free
from app.main.local.supervisor import Part
from app.main.settings import Settings

# HTTP_PORT, METRICS_PORT, MOCK_GATEWAY_PORT, CONSOLE_PORT
DEFAULTS = (8080, 9101, 8081, 8090)


class Ports(NamedTuple):
    """Where the run serves; `gateway` is None when one was given."""

    api: int
    metrics: int
    gateway: int | None
    console: int


def choose_ports(settings: Settings, say: Callable[[str], None], environ: Mapping[str, str] = os.environ) -> Ports:
    """The ports of the settings. A default that is taken gives way to the next free one; one asked for does not.

    Raises:
        CannotStart: a port that was asked for is taken; the message names the setting.
    """
    kept = set(DEFAULTS)

    def port(name: str, wanted: int, default: int, host: str = "127.0.0.1") -> int:
        if wanted == 0 or is_free(wanted, host):
            return wanted or free_port()
        if wanted != default or environ.get(name, "").strip():
            raise CannotStart(f"{name}: port {wanted} is in use on {host}; choose another, or end what uses it")
        following = range(wanted + 1, wanted + 100)
        other = next((one for one in following if one not in kept and is_free(one, host)), None) or free_port()
        kept.add(other)
        say(f"{name}: port {wanted} is in use, {other} is taken instead")
        return other

    api = port("HTTP_PORT", settings.http_port, DEFAULTS[0], settings.http_host)
    metrics = port("METRICS_PORT", settings.metrics_port, DEFAULTS[1], settings.http_host)
    gateway = None if settings.gateway_url else port("MOCK_GATEWAY_PORT", settings.mock_gateway_port, DEFAULTS[2])
    console = port("CONSOLE_PORT", settings.console_port, DEFAULTS[3], settings.console_host)
    if len({api, metrics, gateway, console}) < 4:
        raise CannotStart("HTTP_PORT, METRICS_PORT, MOCK_GATEWAY_PORT and CONSOLE_PORT must differ")
    return Ports(api, metrics, gateway, console)


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
