"""`python -m app.main.local.probe URL`: exits 0 when it answers 200, else 1; for images without curl."""

import http.client
import sys
import urllib.request


def answers(url: str, timeout_s: float = 2.0) -> bool:
    """Whether a GET of the URL is answered with 200 in time."""
    try:
        with urllib.request.urlopen(url, timeout=timeout_s) as response:  # noqa: S310 -- the image says which
            return bool(response.status == 200)
    except (OSError, ValueError, http.client.HTTPException):  # the last: what is there speaks something else
        return False


if __name__ == "__main__":
    sys.exit(0 if len(sys.argv) == 2 and answers(sys.argv[1]) else 1)
