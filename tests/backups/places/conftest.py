"""What the tests of places share: one of each kind, and a new machine on which nothing is yet."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import boto3
import pytest
from moto.server import ThreadedMotoServer

from backups.engine.place import Place, open_place
from backups.engine.repository import Repository
from tests.backups.sftp import SftpServer, sftp_server, sftp_url


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """The folder of another disk."""
    folder = tmp_path / "usb stick"
    folder.mkdir()
    return folder


@pytest.fixture
def place(outside: Path) -> Place:
    return open_place(f"file://{outside}".replace(" ", "%20"))


@pytest.fixture
def elsewhere(tmp_path: Path) -> Repository:
    """The folder of a new machine, on which nothing is yet."""
    made = Repository(tmp_path / "new machine")
    made.make()
    return made


@pytest.fixture(scope="module")
def store_url() -> Iterator[str]:
    """An S3-compatible store with an empty bucket."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    client = boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="us", aws_secret_access_key="hunter2"
    )
    client.create_bucket(Bucket="shop-backups")
    yield f"s3://shop-backups/samovar?endpoint={endpoint}&region=us-east-1&key=us&secret=hunter2"
    server.stop()


@pytest.fixture
def sftp(tmp_path: Path) -> Iterator[SftpServer]:
    folder = tmp_path / "served"
    folder.mkdir()
    with sftp_server(folder) as server:
        yield server


@pytest.fixture(params=["folder", "memory", "store", "sftp server"])
def any_place(request: pytest.FixtureRequest) -> Place:
    """Each kind of place, empty."""
    match request.param:
        case "folder":
            found: Place = request.getfixturevalue("place")
        case "memory":
            found = open_place(f"memory://{uuid4()}/copies")
        case "store":
            url: str = request.getfixturevalue("store_url")
            found = open_place(url.replace("samovar?", f"samovar/{uuid4()}?"))
        case _:
            found = open_place(sftp_url(request.getfixturevalue("sftp")))
    return found
