"""What the service is made of beside its own code: licences, and known vulnerabilities."""

import re
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[3]
LOCK = ROOT / "requirements.lock"


def pinned() -> Mapping[str, str]:
    """The version of every package that the service runs on, by name."""
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)$", LOCK.read_text(), re.MULTILINE))
