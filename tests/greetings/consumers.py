"""`python -m consumers` of that house."""

from consumers.cli import main
from tests.greetings import __main__ as house

__all__ = ["house"]

if __name__ == "__main__":
    main(prog_name="python -m consumers")
