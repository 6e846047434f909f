"""`strongbox` of a house with one context more. The line that lets it join is the one in the middle."""

from app.main import contexts
from app.main.cli import main
from tests.greetings.context import GREETINGS

contexts.CONTEXTS = (*contexts.CONTEXTS, GREETINGS)

if __name__ == "__main__":
    main(prog_name="strongbox")
