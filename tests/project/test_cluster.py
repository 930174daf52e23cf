"""`make cluster` before anything is started: what it refuses, and what it keeps between starts."""

import json
import socket
import subprocess
import sys
from importlib.metadata import PathDistribution
from pathlib import Path, PurePath

import pytest

from project.embedded.cluster.cluster_file import ClusterFile
from project.embedded.cluster.etcd import SETTINGS, settings_of
from project.embedded.cluster.node import Ports, choose_ports, nodes_in, refuse_taken
from project.embedded.cluster.packages import installed_files
from project.embedded.cluster.passwords import Passwords
from project.embedded.cluster.patroni import variables_of
from project.embedded.errors import CannotStart
from project.embedded.places import BASE_DIR

EXAMPLES = BASE_DIR / "deploy" / "cluster"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cluster.json"


def test_without_etcd_it_says_what_to_install_and_writes_nothing(checkout: Path, bare_environment: dict[str, str]):
    done = subprocess.run(
        [sys.executable, "-m", "project.embedded", "cluster"],
        cwd=checkout,
        env=bare_environment | {"PATH": "/nowhere"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.strip() == (
        "A cluster needs etcd, which is not here: on Debian and Ubuntu run `apt install etcd-server` as root, then the "
        "same command again. The etcd that the package starts by itself is not used, and may be stopped."
    )
    assert not (checkout / "var").exists()


def test_ports_and_passwords_stay_the_same(path: Path):
    made = ClusterFile.load(path)
    made.save(path)
    assert ClusterFile.load(path) == made
    assert path.stat().st_mode & 0o777 == 0o600
    ports = [port for node in made.ports.values() for port in node.all()]
    assert len(set(ports)) == 12
    passwords = json.loads(path.read_text())["passwords"]
    assert len(set(passwords.values())) == 5


@pytest.mark.parametrize("content", ["", "[]", '{"home": ""}', '{"home": "", "passwords": {"x": 1}, "ports": {}}'])
def test_a_damaged_file_is_told(path: Path, content: str):
    path.write_text(content)
    with pytest.raises(CannotStart, match=r"cluster\.json is damaged: delete .* to begin a new cluster\."):
        ClusterFile.load(path)


def test_a_folder_that_is_gone_or_anothers_is_told(tmp_path: Path):
    for home in (tmp_path / "gone", tmp_path):
        known = ClusterFile(home=str(home))
        with pytest.raises(CannotStart, match=r"gone or another folder's: delete .* to begin a new one"):
            known.home_of(tmp_path / "cluster", None)
    (tmp_path / "cluster").mkdir()
    known = ClusterFile()
    assert known.home_of(tmp_path / "cluster", None) == tmp_path / "cluster"
    assert known.home_of(tmp_path / "cluster", None) == tmp_path / "cluster"


def test_a_taken_port_is_told_by_its_number_and_node(tmp_path: Path):
    nodes = nodes_in(tmp_path, choose_ports())
    refuse_taken(nodes)
    port = nodes[1].ports.rest
    sentence = f"^Port {port}, which node2 of the cluster had before, is taken"
    with socket.create_server(("127.0.0.1", port)), pytest.raises(CannotStart, match=sentence):
        refuse_taken(nodes)


def test_etcd_gets_what_deploy_says():
    assert settings_of(SETTINGS) == {
        "ETCD_HEARTBEAT_INTERVAL": "200",
        "ETCD_ELECTION_TIMEOUT": "2000",
        "ETCD_AUTO_COMPACTION_MODE": "periodic",
        "ETCD_AUTO_COMPACTION_RETENTION": "1h",
        "ETCD_QUOTA_BACKEND_BYTES": "268435456",
    }


def test_the_examples_name_every_variable_that_the_nodes_get(tmp_path: Path):
    """What is tried on one machine and what is written for three are the same."""
    nodes = nodes_in(tmp_path, {name: Ports(1, 2, 3, 4) for name in choose_ports()})
    given = variables_of(nodes[0], nodes, passwords=Passwords(), postgresql=tmp_path)
    lines = (EXAMPLES / "patroni.env.example").read_text().splitlines()
    assert {line.split("=")[0] for line in lines if line.startswith("PATRONI_")} == set(given)
    assert not [line for line in lines if "PASSWORD" in line and line.startswith("PATRONI_") and not line.endswith("=")]


def test_the_files_of_a_package_are_those_that_are_there_whichever_pip_installed_it(tmp_path: Path):
    old = tmp_path / "tea-1.0.egg-info"
    old.mkdir()
    (old / "SOURCES.txt").write_text("MANIFEST.in\nsrc/tea/__init__.py\n")
    (old / "installed-files.txt").write_text("../tea/__init__.py\n../../../bin/tea\nPKG-INFO\n")
    assert installed_files(PathDistribution(old)) == [PurePath("tea/__init__.py"), PurePath("../../bin/tea")]

    new = tmp_path / "milk-1.0.dist-info"
    new.mkdir()
    (new / "RECORD").write_text("milk/__init__.py,,\n../../bin/milk,,\n")
    for name in ("milk/__init__.py", "../../bin/milk"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert installed_files(PathDistribution(new)) == [PurePath("milk/__init__.py"), PurePath("../../bin/milk")]
