"""Three nodes with the configuration of deploy/cluster: who leads, who follows, and what each of them keeps."""

import json
import os
import ssl
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from project.embedded.cluster.patroni import CONFIGURATION
from project.embedded.postgres import free_port
from tests.cluster.nodes import Nodes

pytestmark = pytest.mark.cluster


def test_one_node_leads_and_every_commit_waits_for_another(nodes: Nodes):
    leader = nodes.leader()
    with urllib.request.urlopen(f"{leader.rest_url}/cluster", timeout=10) as answer:
        members = json.load(answer)["members"]
    assert sorted(member["role"] for member in members) == ["leader", "replica", "sync_standby"]
    assert nodes.value("SHOW synchronous_commit") == "on"
    assert nodes.sql("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == [(1,)]


def test_the_leader_has_what_backups_need(nodes: Nodes):
    settings = dict(nodes.sql("SELECT name, setting FROM pg_settings"))
    wanted = {
        "wal_level": "replica",
        "summarize_wal": "on",
        "track_commit_timestamp": "on",
        "max_slot_wal_keep_size": "4096",
        "data_checksums": "on",
        "wal_compression": "pglz",
        "server_encoding": "UTF8",
        "TimeZone": "UTC",
    }
    assert {name: settings[name] for name in wanted} == wanted
    assert nodes.sql("SELECT slot_type FROM pg_replication_slots WHERE slot_name = 'samovar'") == [("physical",)]


def test_patroni_has_the_configuration_of_deploy_cluster(nodes: Nodes):
    with urllib.request.urlopen(f"{nodes.leader().rest_url}/config", timeout=10) as answer:
        config = json.load(answer)
    wanted = {
        "ttl": 20,
        "loop_wait": 5,
        "retry_timeout": 5,
        "primary_start_timeout": 0,
        "maximum_lag_on_failover": 1024**4,
        "synchronous_mode": True,
        "slots": {"samovar": {"type": "physical"}},
    }
    assert {name: config[name] for name in wanted} == wanted


def test_etcd_lets_in_nobody_without_the_key(nodes: Nodes):
    """Who could write there would rule the nodes, and with them the account that they run under."""
    anybody = ssl.create_default_context()
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    for node in nodes.all:
        with pytest.raises(OSError, match=r"(?i)certificate|reset|closed"):
            urllib.request.urlopen(f"{node.etcd_url}/health", timeout=10, context=anybody)
    key = nodes.cluster.home / "certificate" / "etcd.key"
    assert (key.stat().st_mode & 0o777, key.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_patroni_finds_nothing_wrong_with_the_files_for_three_machines(nodes: Nodes, tmp_path: Path):
    """With an address and a folder of this machine, because Patroni looks at them."""
    lines = (CONFIGURATION.parent / "patroni.env.example").read_text().splitlines()
    example = dict(line.split("=", 1) for line in lines if line.startswith("PATRONI_"))
    here = {
        "PATRONI_RESTAPI_LISTEN": f"127.0.0.1:{free_port()}",
        "PATRONI_POSTGRESQL_LISTEN": f"127.0.0.1:{free_port()}",
        "PATRONI_POSTGRESQL_BIN_DIR": str(nodes.programs_folder),
        "PATRONI_POSTGRESQL_DATA_DIR": str(tmp_path / "data"),
    }
    passwords = {name: "made-up" for name in example if name.endswith("_PASSWORD")}
    done = subprocess.run(
        [sys.executable, "-m", "patroni", "--validate-config", str(CONFIGURATION)],
        env={"PATH": os.defpath, **example, **here, **passwords},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
