"""The stand-in marketplaces, to which the demo shop's seller accounts point."""

import os
import sys
from collections.abc import Mapping

from foundation.programs.program import Program
from project.embedded.places import BASE_DIR, Places, make_private
from project.embedded.postgres import free_port
from project.embedded.secrets_file import Secrets

VARIABLE = "MARKETPLACE_STANDIN_URL"
# A new order about every 40 seconds: somebody who looks sees the shop work, and it is not sold out by the evening.
SECONDS_BETWEEN_ORDERS = "40"


def standin_variables(places: Places, secrets: Secrets) -> dict[str, str]:
    """Chooses the port of the stand-in, the last one if it is free, and returns the variable that names its address;
    none where the demo is left out or somebody runs a stand-in of their own."""
    if os.environ.get("DEMO") == "0" or os.environ.get(VARIABLE):
        return {}
    secrets.standin_port = free_port(secrets.standin_port)
    secrets.save(places.secrets)
    return {VARIABLE: f"http://127.0.0.1:{secrets.standin_port}"}


def standin_program(places: Places, secrets: Secrets, environment: Mapping[str, str]) -> Program:
    """The stand-in at the port that was chosen; what it knows is kept below `var`."""
    make_private(places.standin)
    return Program(
        name="standin",
        title="The marketplaces' stand-in",
        command=[
            *[sys.executable, "-m", "marketplaces.standin", "--port", str(secrets.standin_port)],
            *[
                "--state",
                str(places.standin / "state.sqlite3"),
                "--control-token",
                str(places.standin / "control-token"),
            ],
            *["--orders-every", SECONDS_BETWEEN_ORDERS],
        ],
        environment=environment,
        folder=BASE_DIR,
        log=places.logs / "standin.log",
        restarts=True,
        is_spared=True,
        serves=True,
    )
