"""Which routes there are: what is answered with 404 or 405 before anything else of a request is looked at."""

from collections.abc import Iterable, Sequence

from app.platform.http.codes import METHOD_NOT_ALLOWED, NOT_FOUND
from app.platform.http.endpoint import Endpoint
from app.platform.http.errors import Problem
from app.platform.http.operations import BEHIND_THE_DOOR, Contradiction

UNMATCHED = "unmatched"
MALFORMED = "malformed"


class Resource:
    """A path, by its template, with what answers its methods; HEAD comes with GET."""

    __slots__ = ("_endpoints", "is_behind_the_door", "template")

    def __init__(self, template: str) -> None:
        self.template = template
        self.is_behind_the_door = template.startswith(BEHIND_THE_DOOR)
        self._endpoints: dict[str, Endpoint] = {}

    def add(self, endpoint: Endpoint) -> None:
        """Have one more method answered.

        Raises:
            Contradiction: it is, already.
        """
        method = endpoint.operation.method
        if method in self._endpoints:
            raise Contradiction(f"{method} {self.template} is answered by two operations")
        self._endpoints[method] = endpoint
        if method == "GET":
            self._endpoints["HEAD"] = endpoint

    @property
    def methods(self) -> Iterable[str]:
        """All that are answered."""
        return self._endpoints.keys()

    def endpoint(self, method: str) -> Endpoint:
        """What answers the method.

        Raises:
            Problem: nothing does.
        """
        endpoint = self._endpoints.get(method)
        if endpoint is None:
            allowed = ", ".join(self.methods)
            raise Problem(METHOD_NOT_ALLOWED, details={"allow": allowed}, headers={"Allow": allowed})
        return endpoint


class _Node:
    """Where paths that are alike so far go on: by a segment's own name, or by whatever stands for a parameter."""

    __slots__ = ("by_name", "parameter", "resource")

    def __init__(self) -> None:
        self.by_name: dict[str, _Node] = {}
        self.parameter: _Node | None = None
        self.resource: Resource | None = None

    def below(self, segment: str) -> "_Node":
        """The node of one more segment of a template."""
        if segment.startswith("{"):
            self.parameter = self.parameter or _Node()
            return self.parameter
        return self.by_name.setdefault(segment, _Node())

    def find(self, segments: Sequence[str], at: int, values: list[str]) -> Resource | None:
        """The resource of the segments from `at` on; `values` gets those that stand for parameters."""
        if at == len(segments):
            return self.resource
        segment = segments[at]
        node = self.by_name.get(segment)
        if node is not None and (found := node.find(segments, at + 1, values)):
            return found
        if self.parameter is None or not segment:
            return None
        values.append(segment)
        if found := self.parameter.find(segments, at + 1, values):
            return found
        values.pop()
        return None


class Router:
    """The routes of this process. However many there are, a path is found in as many steps as it has segments."""

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self._root = _Node()
        self._most_segments = 1
        for endpoint in endpoints:
            self._add(endpoint)

    def _add(self, endpoint: Endpoint) -> None:
        template, node = endpoint.operation.template, self._root
        segments = template.split("/")
        self._most_segments = max(self._most_segments, len(segments))
        for segment in segments:
            node = node.below(segment)
        if node.resource is None:
            node.resource = Resource(template)
        elif node.resource.template != template:
            raise Contradiction(f"{template} and {node.resource.template} are the same path")
        node.resource.add(endpoint)

    def find(self, path: str) -> tuple[Resource, Sequence[str]]:
        """The resource of the path, and what stands there for the parameters, as spelled.

        Raises:
            Problem: there is none.
        """
        values: list[str] = []
        # Of a path of thousands of segments the rest stays in one piece, which fits nowhere.
        resource = self._root.find(path.split("/", self._most_segments), 0, values)
        if resource is None:
            raise Problem(NOT_FOUND)
        return resource, values
