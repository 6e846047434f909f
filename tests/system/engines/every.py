"""The engines, in the order of the page."""

from typing import Final

from tests.system.engines.engine import Engine
from tests.system.engines.given import Given
from tests.system.engines.pgbouncers import PgBouncers
from tests.system.engines.processes import Processes

ENGINES: Final[tuple[type[Engine], ...]] = (Processes, PgBouncers, Given)
