"""From a request to its answer: rules of misbehaviour, limits, keys, and at last the endpoint."""

import logging
from collections.abc import Callable
from typing import NamedTuple

from marketplaces.standin import (
    allegro,
    allegro_auth,
    allegro_offers,
    control,
    ozon,
    ozon_stock,
    reports,
    wildberries,
    wildberries_archive,
    wildberries_stock,
    wildberries_supplies,
)
from marketplaces.standin.messages import Answer, Request
from marketplaces.standin.misbehaviour import Rule, answer_with
from marketplaces.standin.routing import Routes
from marketplaces.standin.sellers import Seller
from marketplaces.standin.world import World

logger = logging.getLogger(__name__)

# They add their endpoints to the routes of the others.
ADDED = (allegro_offers, ozon_stock, wildberries_archive, wildberries_stock, wildberries_supplies)


class Interface(NamedTuple):
    """`authenticate` is None where no key is asked for."""

    routes: Routes
    authenticate: Callable[[World, Request], Seller | Answer] | None = None
    limited: Callable[[World, Request], Answer | None] | None = None
    charge: Callable[[World, Request, Answer], None] | None = None


INTERFACES = {
    each.routes.prefix: each
    for each in (
        Interface(allegro.routes, allegro.authenticate, allegro.limited),
        Interface(allegro_auth.routes),
        Interface(ozon.routes, ozon.authenticate, ozon.limited),
        Interface(reports.files),
        Interface(wildberries.routes, wildberries.authenticate, wildberries.limited, wildberries.charge),
        Interface(wildberries.analytics, wildberries.authenticate, wildberries.limited, wildberries.charge),
    )
}

# Told of every exchange: the request, the answer as it goes out, and the rule that bent it, if any.
Observer = Callable[[Request, Answer, Rule | None], None]


class App:
    def __init__(self, world: World, observer: Observer | None = None) -> None:
        self.world, self.observer = world, observer

    def answer(self, request: Request) -> Answer:
        if request.path.startswith(control.PREFIX):
            return control.answer(self.world, request)
        rule = self.world.misbehaviour.take(request) if self.world.misbehaviour.rules else None
        try:
            answer = answer_with(rule, request, self.carry_out)
        except Exception:
            logger.exception("%s %s", request.method, request.path)
            answer = Answer(500, {"message": "The stand-in itself has failed: see its log"})
        if self.observer:
            self.observer(request, answer, rule)
        return answer

    def carry_out(self, request: Request) -> Answer:
        """Answers as the marketplace would."""
        interface = INTERFACES.get("/" + request.path.split("/", 2)[1])
        if interface is None:
            return Answer(404, {"message": "No marketplace here"})
        has_limits = self.world.options.has_limits
        if has_limits and interface.limited and (refusal := interface.limited(self.world, request)):
            return refusal
        answer = self._ask(interface, request)
        if has_limits and interface.charge:
            interface.charge(self.world, request, answer)
        return answer

    def _ask(self, interface: Interface, request: Request) -> Answer:
        seller: Seller | None = None
        if interface.authenticate:
            found = interface.authenticate(self.world, request)
            if isinstance(found, Answer):
                return found
            seller = found
        return interface.routes.answer(self.world, request, seller) or Answer(404, {"message": "Not found"})
