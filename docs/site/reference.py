"""`python docs/site/reference.py FOLDER`: what the site takes from the service, as files in FOLDER.

It runs where the service's packages are; the site is built where they are not.
"""

import json
import sys
from pathlib import Path

from app.main.api import described
from app.main.contexts import load
from app.platform.http.openapi import document
from app.platform.http.openapi_page import body
from app.platform.http.services import HttpOptions


def main(folder: Path) -> None:
    """Write the OpenAPI document of an API with the default settings, and its operations as HTML."""
    options = HttpOptions(api_keys=(), currencies=load({}).currencies)
    api = document(described(options), options.known_currencies)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "openapi.json").write_text(json.dumps(api, indent=2), encoding="utf-8")
    (folder / "openapi.html").write_text(body(api), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
