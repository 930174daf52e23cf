"""Three nodes that answer as Patroni does: at free ports, with what real ones have answered."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.backups.patroni.recorded import NODES, REFUSALS, SWITCHED, recording

USER, PASSWORD = "samovar", "kettle-and-cup"
ACCOUNT = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


class Nodes:
    """The nodes. `answers[node][path]` is what one says: an object, or (status, text); "hang": it keeps the question
    waiting, "cut": it ends the connection without an answer."""

    def __init__(self) -> None:
        self.answers: dict[str, dict[str, Any]] = recording("steady")
        self.asked: list[str] = []
        self.switched: list[dict[str, str]] = []
        self.released = threading.Event()
        self.servers = {node: self.serve(node) for node in NODES}
        for answers in self.answers.values():
            self.set_addresses(answers["cluster"])

    @property
    def urls(self) -> list[str]:
        return [f"http://127.0.0.1:{server.server_port}" for server in self.servers.values()]

    def serve(self, node: str) -> ThreadingHTTPServer:
        nodes = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                nodes.asked.append(f"{node}{self.path}")
                self.answer(nodes.answers[node][self.path.strip("/")])

            def do_POST(self) -> None:
                nodes.asked.append(f"{node}{self.path}")
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.answer(nodes.switch(node, body, account=self.headers.get("Authorization", "")))

            def answer(self, said: Any) -> None:
                if said == "hang":
                    nodes.released.wait(30)
                if said in ("hang", "cut"):
                    return
                is_text = isinstance(said, tuple)
                status, text = said if is_text else (200, json.dumps(said))
                self.send_response(status)
                self.send_header("Content-Type", "text/html" if is_text else "application/json")
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *arguments: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return server

    def set_addresses(self, cluster: dict[str, Any]) -> None:
        for member in cluster["members"]:
            member["api_url"] = f"http://127.0.0.1:{self.servers[member['name']].server_port}/patroni"

    def stop(self, node: str) -> None:
        """Nobody listens at its port any more."""
        self.servers[node].shutdown()
        self.servers[node].server_close()

    def say(self, frame: dict[str, Any]) -> None:
        """From now on they answer what was recorded at a moment."""
        for node in NODES:
            known = {**self.answers[node], "patroni": frame["patroni"][node] or "cut"}
            if frame["cluster"]:
                self.set_addresses(frame["cluster"])
            self.answers[node] = {**known, "cluster": frame["cluster"] or (503, "")}

    def switch(self, node: str, body: dict[str, str], *, account: str) -> Any:
        """A planned switchover: they answer as after it, if it is let."""
        said = self.answers[node].get("switchover")
        if said is not None:
            return said
        if account != ACCOUNT:
            return REFUSALS["wrong password" if account else "no account"]
        members = {member["name"]: member["role"] for member in self.answers[node]["cluster"]["members"]}
        if members.get(body["leader"]) != "leader":
            return REFUSALS["another leads"]
        if members.get(body["candidate"]) != "sync_standby":
            return REFUSALS["not synchronous"]
        self.switched.append(body)
        self.lead(body["candidate"], before=body["leader"])
        return SWITCHED[0], SWITCHED[1].format(**body)

    def lead(self, candidate: str, *, before: str) -> None:
        """The two have changed places."""
        for node in NODES:
            for member in self.answers[node]["cluster"]["members"]:
                if member["name"] in (candidate, before):
                    leads = member["name"] == candidate
                    member["role"], member["state"] = ("leader", "running") if leads else ("sync_standby", "streaming")
        mine, theirs = self.answers[candidate]["patroni"], self.answers[before]["patroni"]
        mine["patroni"], theirs["patroni"] = theirs["patroni"], mine["patroni"]
        self.answers[candidate]["patroni"] = {**theirs, "timeline": 2}
        self.answers[before]["patroni"] = mine


@contextmanager
def running_nodes() -> Iterator[Nodes]:
    nodes = Nodes()
    try:
        yield nodes
    finally:
        nodes.released.set()
        for server in nodes.servers.values():
            server.shutdown()
            server.server_close()
