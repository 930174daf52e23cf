"""Which function answers which method and path."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from marketplaces.standin.messages import Answer, Request

if TYPE_CHECKING:
    from marketplaces.standin.sellers import Seller
    from marketplaces.standin.world import World

# (world, request, the seller whose key it is, the names in the path) -> answer
Endpoint = Callable[..., Answer]


class Routes:
    """The endpoints of one interface, below its prefix: `@routes.get("/orders/{id}")`."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.fixed: dict[tuple[str, str], Endpoint] = {}
        self.open: list[tuple[str, re.Pattern[str], Endpoint]] = []

    def route(self, method: str, path: str) -> Callable[[Endpoint], Endpoint]:
        def keep(endpoint: Endpoint) -> Endpoint:
            if "{" in path:
                pattern = re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(path)))
                self.open.append((method, pattern, endpoint))
            else:
                self.fixed[method, path] = endpoint
            return endpoint

        return keep

    def get(self, path: str) -> Callable[[Endpoint], Endpoint]:
        return self.route("GET", path)

    def post(self, path: str) -> Callable[[Endpoint], Endpoint]:
        return self.route("POST", path)

    def put(self, path: str) -> Callable[[Endpoint], Endpoint]:
        return self.route("PUT", path)

    def patch(self, path: str) -> Callable[[Endpoint], Endpoint]:
        return self.route("PATCH", path)

    def find(self, request: Request) -> tuple[Endpoint, dict[str, str]] | None:
        """Returns the endpoint and what the path names, or None."""
        path = request.path.removeprefix(self.prefix)
        if endpoint := self.fixed.get((request.method, path)):
            return endpoint, {}
        for method, pattern, endpoint in self.open:
            if method == request.method and (match := pattern.fullmatch(path)):
                return endpoint, match.groupdict()
        return None

    def answer(self, world: "World", request: Request, seller: "Seller | None") -> Answer | None:
        """Returns what the endpoint says, or None if there is no such place."""
        found = self.find(request)
        if found is None:
            return None
        endpoint, names = found
        return endpoint(world, request, seller, **names)
