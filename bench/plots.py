"""The results as pictures: SVG that reads well on light and on dark ground."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Final

from bench.results import Measure, number

COMPARED: Final = {
    "spread": ("Payments, many wallets", "pgbench, one by one"),
    "hot": ("Payments, one wallet", "pgbench, one by one"),
    "relay": ("Outbox to RabbitMQ", "a bare publishing loop"),
    "audit": ("Queue to audit log", "rows committed singly"),
}
"""The scenarios of the first picture, how they are called there, and their limit."""

_WIDTH, _LEFT, _RIGHT, _BAR, _GAP = 760, 205, 150, 18, 16
_STYLE = """
    text { font: 13px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; fill: #35414e; }
    .title { font-size: 16px; font-weight: 600; fill: #17212c; }
    .name { text-anchor: end; font-weight: 600; fill: #17212c; }
    .figure { paint-order: stroke; stroke: #ffffff; stroke-width: 5px; }
    .ground { fill: #ffffff; }
    .ours { fill: #2b67ab; }
    .limit { fill: #b4bcc6; }
    .goal { stroke: #a76a12; stroke-width: 2; stroke-dasharray: 4 3; }
    @media (prefers-color-scheme: dark) {
      text { fill: #c5cfda; }
      .title, .name { fill: #f0f4f8; }
      .ground { fill: #12171d; }
      .figure { stroke: #12171d; }
      .ours { fill: #6ca5e6; }
      .limit { fill: #55606c; }
      .goal { stroke: #dea04a; }
    }
"""


def throughput(scenarios: Mapping[str, Measure]) -> str:
    """What was reached, above its limit; every limit has the same length, and a dashed line is the goal."""
    found = [(name, scenarios[name]) for name in COMPARED if name in scenarios and not scenarios[name].void]
    longest = max((max(one.ratio, one.goal) for _, one in found), default=1.0)
    scale = (_WIDTH - _LEFT - _RIGHT) / longest
    parts: list[str] = []
    y = 52
    for name, one in found:
        title, limit_is = COMPARED[name]
        goal_x = _LEFT + one.goal * scale
        parts += [
            _text(_LEFT - 12, y + _BAR - 4, title, "name"),
            _text(_LEFT - 12, y + 2 * _BAR - 2, limit_is, anchor="end"),
            _bar(_LEFT, y, one.ratio * scale, "ours"),
            _bar(_LEFT, y + _BAR + 2, scale, "limit"),
            f'<line class="goal" x1="{goal_x:.1f}" x2="{goal_x:.1f}" y1="{y - 3}" y2="{y + 2 * _BAR + 5}"/>',
            _text(_LEFT + one.ratio * scale + 8, y + _BAR - 4, f"{number(one.value)} {one.unit}", "figure"),
            _text(_LEFT + scale + 8, y + 2 * _BAR - 2, number(one.limit), "figure"),
        ]
        y += 2 * _BAR + 2 + _GAP
    return _picture("Strongbox beside what it stands on (dashed: the goal)", y, parts)


def where_the_time_goes(costs: Mapping[str, float]) -> str:
    """The processor time of a payment, by process, in microseconds."""
    longest = max(costs.values(), default=1.0)
    scale = (_WIDTH - _LEFT - _RIGHT) / max(longest, 1.0)
    parts: list[str] = []
    y = 52
    for name, us in costs.items():
        parts += [
            _text(_LEFT - 12, y + _BAR - 4, name, "name"),
            _bar(_LEFT, y, us * scale, "ours"),
            _text(_LEFT + us * scale + 8, y + _BAR - 4, f"{us:.0f} µs"),
        ]
        y += _BAR + 8
    return _picture(f"CPU of a payment by process, {sum(costs.values()):.0f} µs in all", y, parts)


def pictures(scenarios: Mapping[str, Measure]) -> Iterable[tuple[str, str]]:
    """The pictures that can be made of the results, with the names of their files."""
    if any(name in scenarios for name in COMPARED):
        yield "throughput.svg", throughput(scenarios)
    if "spread" in scenarios:
        yield "cpu.svg", where_the_time_goes(scenarios["spread"].details["cpu_us_per_payment"])


def _picture(title: str, height: int, parts: Sequence[str]) -> str:
    body = "\n  ".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" aria-labelledby="title">\n'
        f'  <title id="title">{escape(title)}</title>\n  <style>{_STYLE}  </style>\n'
        f'  <rect class="ground" width="{_WIDTH}" height="{height}" rx="6"/>\n'
        f"  {_text(20, 30, title, 'title')}\n  {body}\n</svg>\n"
    )


def _bar(x: float, y: float, width: float, kind: str) -> str:
    return f'<rect class="{kind}" x="{x:.1f}" y="{y}" width="{max(width, 1.0):.1f}" height="{_BAR}" rx="2"/>'


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "") -> str:
    attributes = (f' class="{kind}"' if kind else "") + (f' text-anchor="{anchor}"' if anchor else "")
    return f'<text x="{x:.1f}" y="{y}"{attributes}>{escape(text)}</text>'
