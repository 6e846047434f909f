"""`python -m bench.sizing`: what so many payments a second take of processes, nodes and disks; what saturates first.

Exit codes: 0 it was reckoned; 2 an input is wrong, or the results lack something.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from bench.results import Results
from bench.sizing.measured import Measured, Missing
from bench.sizing.model import size
from bench.sizing.plan import INPUTS, Input, Plan
from bench.sizing.points import all_foretold
from bench.sizing.telling import tell, told

RESULTS: Final = Path("bench/results/latest.json")


def _number(of: Input, text: str) -> float:
    try:
        return of.of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not {error}") from None


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.sizing", description="Size a Strongbox by what was measured."
    )
    for each in INPUTS:
        told_default = "" if each.default is None else f" ({each.default:g})"
        parser.add_argument(
            each.option,
            type=partial(_number, each),
            default=each.default,
            required=each is INPUTS[0],
            metavar="N",
            help=f"{each.what}, {each.unit}{told_default}".replace("%", "%%"),
        )
    parser.add_argument("--results", type=Path, default=RESULTS, help=f"what was measured ({RESULTS})")
    parser.add_argument("--json", action="store_true", help="for programs")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    """Reckon; the exit code."""
    arguments = vars(_arguments(words))
    where, as_json = arguments.pop("results"), arguments.pop("json")
    try:
        results = Results.read(where)
        if results is None:
            raise Missing(f"{where} has no results: `python -m bench` makes them")
        measured = Measured.of(results, str(where))
    except (Missing, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    sizing = size(Plan(**arguments), measured)
    foretold = all_foretold(measured.points, measured.cores)
    if as_json:
        print(json.dumps(told(sizing, measured, foretold, str(where)), indent=2, allow_nan=False))
    else:
        print(tell(sizing, measured, foretold, str(where)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
