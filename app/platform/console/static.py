"""GET /static/…: the style, the script and the icon, as they lie in this package."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.types import ASGIApp

from app.platform.console.desk import Desk
from app.platform.console.errors import Rejected
from app.platform.http.replies import Reply

_TYPES = {".css": b"text/css; charset=utf-8", ".js": b"text/javascript; charset=utf-8", ".svg": b"image/svg+xml"}
_FOLDER = Path(__file__).with_name("static")


def static(_: Desk) -> Sequence[HTTPRouteHandler]:
    """The files, read once. Browsers keep them, and ask whether they are still the same."""
    files = {path.name: (path.read_bytes(), _TYPES[path.suffix]) for path in _FOLDER.iterdir()}
    tags = {name: f'"{sha256(content).hexdigest()[:16]}"'.encode() for name, (content, _) in files.items()}

    @get("/static/{name:str}")
    async def file(request: Request[Any, Any, Any], name: FromPath[str]) -> ASGIApp:
        if name not in files:
            raise Rejected(404, "there is no such file")
        content, media_type = files[name]
        headers = ((b"etag", tags[name]), (b"cache-control", b"no-cache"))
        if request.headers.get("if-none-match", "").encode() == tags[name]:
            return Reply(304, b"", headers, media_type)
        return Reply(200, content, headers, media_type)

    return [file]
