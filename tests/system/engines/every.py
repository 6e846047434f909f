"""The engines, in the order of the page."""

from typing import Final

from tests.system.engines.engine import Engine
from tests.system.engines.given import Given
from tests.system.engines.pair import Pair
from tests.system.engines.patronis import Patronis
from tests.system.engines.pgbouncers import PgBouncers
from tests.system.engines.processes import Processes
from tests.system.engines.rabbits import Rabbits
from tests.system.engines.redises import Redises

ENGINES: Final[tuple[type[Engine], ...]] = (Processes, PgBouncers, Pair, Patronis, Rabbits, Redises, Given)
