"""`make contract`: compile the token's contract anew, and see whether the artefact is what comes of it.

Exit codes: 0 it is, or it was written (`--write`); 1 it is not; 2 it could not be compiled.
"""

import json
import subprocess
import sys
from collections.abc import Sequence

from app.contexts.chain.adapters.evm.contract import ARTEFACT
from tests.chain.contract.compiler import compiled


def main(words: Sequence[str]) -> int:
    """Compile, write or compare, tell."""
    try:
        made = compiled()
    except (OSError, subprocess.SubprocessError) as error:
        sys.stderr.write(f"it could not be compiled: {getattr(error, 'stderr', None) or error}\n")
        return 2
    if "--write" in words:
        ARTEFACT.write_text(json.dumps(made, indent=1) + "\n")
    elif json.loads(ARTEFACT.read_text()) != made:
        sys.stdout.write("The artefact is of another source, or another compiler: see to it, then WRITE=1.\n")
        return 1
    sys.stdout.write(f"{made['contract']}, {made['compiler']}: {len(made['bytecode']) // 2 - 1} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
