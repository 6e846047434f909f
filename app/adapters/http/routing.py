"""Which routes there are: what is answered with 404 or 405 before anything else of a request is looked at."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.adapters.http.errors import Problem, not_found

WALLETS = "/wallets/"
PAYMENTS = "/wallets/{user_id}/payments"
BALANCE = "/wallets/{user_id}/balance"
TRANSACTIONS = "/wallets/{user_id}/transactions"
UNMATCHED = "unmatched"
MALFORMED = "malformed"


def inside(template: str) -> str:
    """The path by which Litestar knows the route: without the user, or its cache of paths would be one of users."""
    return template.replace("{user_id}/", "")


@dataclass(frozen=True, slots=True)
class Route:
    """A path, by its template, with its one method; HEAD comes with GET."""

    template: str
    method: str = "GET"

    @property
    def needs_key(self) -> bool:
        """Whether it takes an API key."""
        return self.template.startswith(WALLETS)

    def check_method(self, method: str) -> None:
        """See to it that the route answers the method.

        Raises:
            Problem: it does not.
        """
        if method == self.method or (method == "HEAD" and self.method == "GET"):
            return
        allowed = "GET, HEAD" if self.method == "GET" else self.method
        raise Problem(
            "METHOD_NOT_ALLOWED", "the resource does not answer this method", {"allow": allowed}, {"Allow": allowed}
        )


class Routes:
    """The routes of this process."""

    def __init__(self, exposed: Iterable[str]) -> None:
        routes = [Route(PAYMENTS, "POST"), Route(BALANCE), Route(TRANSACTIONS), *map(Route, exposed)]
        self._by_template: Mapping[str, Route] = {route.template: route for route in routes}

    def find(self, path: str) -> tuple[Route, str]:
        """The route of the path, and the user in it, as spelled there.

        Raises:
            Problem: there is none.
        """
        template, user = path, ""
        if path.startswith(WALLETS):
            user, _, rest = path.removeprefix(WALLETS).partition("/")
            template = f"{WALLETS}{{user_id}}/{rest}" if user else ""
        route = self._by_template.get(template)
        if route is None:
            raise not_found()
        return route, user
