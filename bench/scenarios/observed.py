"""What it costs to be watched: payments with operators at the console, or with tracing on, beside the same without."""

import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import httpx

from app.main.local.probe import answers
from app.platform.process.processes import CannotStart, free_port
from bench.house import BenchHouse
from bench.results import Measure, measure
from bench.stage import Stage, errors

OPERATORS: Final = 5
LOOK_EVERY_S: Final = 2.0
"""As often as a page of the console asks for news."""

_KEY: Final = "only-here-and-now"
_ONE_PERCENT: Final = {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.01"}
_GOALS: Final = {"observed-console": 0.95, "observed-sampled": 0.9, "observed-traced": 0.6}


def observed(stage: Stage) -> Mapping[str, Measure]:
    """The load of `spread` with nobody watching, with operators at the console, and traced: each payment, or 1 %."""
    rates: dict[str, list[float]] = defaultdict(list)
    costs: dict[str, dict[str, float]] = {}
    failed: dict[str, int] = defaultdict(int)

    def run(house: BenchHouse, name: str) -> None:
        stage.warm_up(house, stage.sizes.wallets, stage.sizes.connections)
        house.settle_down()
        before, paid = house.cpu_s(), house.payments()
        found = stage.pay(house, stage.sizes.wallets, stage.sizes.connections, name)
        house.settle_down()
        payments = max(house.payments() - paid, 1)
        rates[name].append(found.rate)
        costs[name] = {part: (used - before[part]) / payments * 1e6 for part, used in house.cpu_s().items()}
        failed[name] += errors(house, found)

    with stage.servers.with_wallets(stage.sizes.wallets) as database, _collector() as (endpoint, received):
        for _ in range(stage.sizes.repeats):
            console = {"CONSOLE_PORT": str(free_port()), "CONSOLE_KEYS": f"operator:{_KEY}"}
            with stage.house(database, **console) as house:
                run(house, "unobserved")
                with _operators(house):
                    run(house, "observed-console")
            for name, sampler in (("observed-traced", {}), ("observed-sampled", _ONE_PERCENT)):
                with stage.house(database, OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, **sampler) as house:
                    run(house, name)
                if name == "observed-traced" and not sum(received):
                    raise CannotStart("tracing was on, and no span came")
    return _measures(rates, costs, failed)


def _measures(
    rates: Mapping[str, list[float]], costs: Mapping[str, dict[str, float]], failed: Mapping[str, int]
) -> dict[str, Measure]:
    """Each beside the same with nobody watching."""
    return {
        name: measure(
            rates[name],
            rates["unobserved"],
            unit="payments/s",
            limit_is="the same, with nobody watching",
            goal=goal,
            errors=failed[name] + failed["unobserved"],
            details={"cpu_us_per_payment": costs[name]},
        )
        for name, goal in _GOALS.items()
    }


@contextmanager
def _operators(house: BenchHouse) -> Iterator[None]:
    """Operators who look at the console's overview meanwhile."""
    url = f"http://127.0.0.1:{house.environment['CONSOLE_PORT']}"
    house.start("console", "app", "console", expect=lambda: answers(f"{url}/healthz"))
    stop = threading.Event()
    troubles: list[BaseException] = []

    def look() -> None:
        try:
            with httpx.Client(base_url=url, headers={"Origin": url}, timeout=120.0) as browser:
                browser.post("/login", data={"key": _KEY, "next": "/"})
                while not stop.wait(LOOK_EVERY_S):
                    browser.get("/live/overview").raise_for_status()
        except Exception as error:
            troubles.append(error)

    operators = [threading.Thread(target=look) for _ in range(OPERATORS)]
    for operator in operators:
        operator.start()
    try:
        yield
    finally:
        stop.set()
        for operator in operators:
            operator.join()
    if troubles:
        raise CannotStart(f"an operator could not look: {troubles[0]!r}")


@contextmanager
def _collector() -> Iterator[tuple[str, list[int]]]:
    """A collector of spans that throws them away: its URL, and how many bytes each request had."""
    received: list[int] = []

    class Take(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            received.append(len(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Take)
    server.daemon_threads = True
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", received
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
