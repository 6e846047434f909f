"""Pages out of templates. Everything that comes from outside is escaped; nothing in a page is script or style."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from app.platform.console.errors import ErrorPage
from app.platform.console.visit import Visit
from app.platform.console.work import Workbench
from app.platform.eip55 import checksummed
from app.platform.http.replies import Reply

HTML = b"text/html; charset=utf-8"
TEMPLATES = Path(__file__).with_name("templates")


class Pages:
    """Renders pages out of the shell's templates and those of the folders given. `menu` and `work` are shown on all.

    Raises:
        ValueError: two folders have a template of the same name.
    """

    def __init__(self, work: Workbench, menu: Sequence[tuple[str, str]] = (), folders: Sequence[Path] = ()) -> None:
        self._work = work
        self.menu = menu
        searched = [TEMPLATES, *dict.fromkeys(folders)]
        names = Counter(file.name for folder in searched for file in folder.iterdir())
        if twice := sorted(name for name, count in names.items() if count > 1):
            raise ValueError(f"templates of several pages have the same name: {', '.join(twice)}")
        self._templates = Environment(
            loader=FileSystemLoader(searched),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._templates.filters |= {
            "moment": moment, "clock": clock, "ago": ago, "number": number, "text": text, "address": checksummed,
        }  # fmt: skip

    def page(self, template: str, visit: Visit, http_status: int = 200, **context: Any) -> Reply:
        """The page of a template, with what it shows."""
        known = {"visit": visit, "menu": self.menu, "job": self._work.job, **context}
        body = self._templates.get_template(template).render(known)
        return Reply(http_status, body.encode("utf-8", "replace"), media_type=HTML)

    def error(self, visit: Visit, error: ErrorPage) -> Reply:
        """The page that says an error."""
        page = self.page("error.html", visit, error.status, error=error)
        headers = tuple((name.lower().encode(), value.encode("latin-1")) for name, value in error.headers.items())
        return Reply(page.status, page.body, headers, HTML)


def redirect(path: str, *headers: tuple[bytes, bytes]) -> Reply:
    """Go on there, with GET."""
    return Reply(303, b"", ((b"location", path.encode("ascii")), *headers), HTML)


def moment(at: datetime | None) -> Markup | str:
    """The time in UTC, to the millisecond."""
    if at is None:
        return "–"
    told = at.astimezone(UTC).isoformat(sep=" ", timespec="milliseconds").removesuffix("+00:00") + "Z"
    return Markup('<time datetime="{}">{}</time>').format(told.replace(" ", "T"), told)


def clock(at: datetime) -> Markup:
    """The time of the day in UTC, to the second."""
    utc = at.astimezone(UTC)
    return Markup('<time datetime="{}">{}</time>').format(f"{utc:%Y-%m-%dT%H:%M:%SZ}", f"{utc:%H:%M:%S} UTC")


def ago(seconds: float) -> str:
    """A span of time, for people."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        if seconds >= (2 if size > 1 else 1) * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0) * 1000:.0f} ms"


def number(value: int) -> str:
    """A number with its thousands apart."""
    return f"{value:,}"


def text(value: object) -> str:
    """A value of somebody's JSON, in one line."""
    match value:
        case None:
            return "–"
        case Mapping():
            return ", ".join(f"{name}: {text(of)}" for name, of in value.items())
        case list() | tuple():
            return ", ".join(map(text, value)) or "none"
        case _:
            return str(value)
