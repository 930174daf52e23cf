"""The dashboards as files: Grafana finds them, and they ask for nothing that there is not."""

import re
from pathlib import Path

import pytest
import yaml

from project.embedded.places import BASE_DIR
from tests.monitoring_stack.dashboards import PARTS, VARIABLES, load, metrics_in, questions_of
from tests.monitoring_stack.prometheus import DASHBOARDS, RULES, STACK, rules_of

PROVISIONING = STACK / "grafana" / "provisioning"
every_dashboard = pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)


def documented() -> set[str]:
    return set(re.findall(r"`((?:samovar|django)_[a-z0-9_]+)`", (BASE_DIR / "docs" / "metrics.md").read_text()))


def test_there_is_one_for_each_subject():
    assert [path.stem for path in DASHBOARDS] == ["backups", "database", "marketplaces", "shop", "workers"]
    uids = {path.stem: load(path)["uid"] for path in DASHBOARDS}
    assert uids == {name: f"samovar-{name}" for name in uids}


@every_dashboard
def test_every_panel_asks_the_provisioned_prometheus(path: Path):
    (source,) = yaml.safe_load((PROVISIONING / "datasources" / "prometheus.yml").read_text())["datasources"]
    ours = {"type": source["type"], "uid": source["uid"]}
    board = load(path)

    panels = [panel for panel in board["panels"] if panel["type"] != "row"]
    assert all(panel["datasource"] == ours for panel in panels)
    assert all(target["datasource"] == ours for panel in panels for target in panel["targets"])
    assert all(variable["datasource"] == ours for variable in board["templating"]["list"])
    assert [note["datasource"] for note in board["annotations"]["list"]] == [ours]


@every_dashboard
def test_panels_fill_the_page_and_none_lies_on_another(path: Path):
    taken: set[tuple[int, int]] = set()
    panels = load(path)["panels"]
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _y in cells) < 24, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert [panel["title"] for panel in panels if panel["type"] != "row" and not panel["targets"]] == []
    for panel in panels:
        letters = [target["refId"] for target in panel.get("targets", [])]
        assert letters == sorted(set(letters)), panel["title"]


@every_dashboard
def test_every_variable_is_one_that_the_dashboard_has(path: Path):
    own = {f"${variable['name']}" for variable in load(path)["templating"]["list"]}
    used = {name for one in questions_of(path) for name in re.findall(r"\$\w+", one.written)}
    assert {name for name in used if not name.startswith("$__")} == own
    assert used <= VARIABLES.keys()


def test_every_metric_that_is_asked_for_is_named_in_the_list_of_metrics():
    asked = {name for path in DASHBOARDS for one in questions_of(path) for name in metrics_in(one.expression)}
    asked |= {name for path in RULES for rule in rules_of(path) for name in metrics_in(rule["expr"])}
    known = documented()
    assert {name for name in asked if name not in known and PARTS.sub("", name) not in known} == set()


def test_grafana_reads_the_folder_with_the_dashboards():
    (provider,) = yaml.safe_load((PROVISIONING / "dashboards" / "samovar.yml").read_text())["providers"]
    compose = yaml.safe_load((STACK / "compose.yml").read_text())
    mounted = dict(entry.split(":")[:2] for entry in compose["services"]["grafana"]["volumes"])
    assert mounted["./grafana/dashboards"] == provider["options"]["path"]
    assert mounted["./grafana/provisioning"] == "/etc/grafana/provisioning"
    assert provider["allowUiUpdates"] is False
