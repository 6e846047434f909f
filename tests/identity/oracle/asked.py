"""The second opinion: signinwithethereum's verdict on each case of standard input, a line of JSON each.

Runs in an environment of its own, and imports nothing of ours.
"""

import json
import sys
from datetime import datetime

from siwe import SiweMessage


def verdict(case: dict[str, str]) -> str:
    """`accepted`, or which step did not take it: `malformed` by its grammar, `refused` by its check."""
    try:
        message = SiweMessage.from_message(case["message"])
    except Exception:  # whatever it raises, which is of many kinds, it is no message to it
        return "malformed"
    try:
        message.verify(
            case["signature"],
            domain=case["domain"],
            nonce=case["nonce"],
            chain_id=1,
            timestamp=datetime.fromisoformat(case["now"]),
        )
    except Exception:
        return "refused"
    return "accepted"


if __name__ == "__main__":
    for line in sys.stdin:
        sys.stdout.write(json.dumps(verdict(json.loads(line))) + "\n")
