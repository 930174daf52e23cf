"""The rules by which Prometheus raises alarms: each fires when it must and holds its peace when it must."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from project.embedded.places import BASE_DIR
from tests.monitoring_stack.prometheus import CONFIGURATION, RULES, TESTS_OF_RULES, promtool, rules_of

pytestmark = pytest.mark.prometheus

EVERY_RULE = [pytest.param(path, rule["alert"], id=rule["alert"]) for path in RULES for rule in rules_of(path)]


def test_promtool_accepts_the_configuration_and_every_rule(tmp_path: Path):
    """It looks for the file with the token, which only the person who sets it up has."""
    configuration = tmp_path / "prometheus.yml"
    token = tmp_path / "metrics_token"
    token.write_text("token")
    text = (CONFIGURATION / "prometheus.yml").read_text()
    assert "secrets/metrics_token" in text
    for name in ("rules/", "targets/"):
        text = text.replace(name, f"{CONFIGURATION}/{name}")
    configuration.write_text(text.replace("secrets/metrics_token", str(token)))

    checked = promtool("check", "config", "--lint-fatal", configuration)

    assert (checked.returncode, checked.stderr) == (0, "")
    assert f"{len(RULES)} rule files found" in checked.stdout
    checked = promtool("check", "rules", "--lint-fatal", *RULES)
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_every_rule_fires_and_holds_its_peace(path: Path):
    tested = promtool("test", "rules", TESTS_OF_RULES / path.name)

    assert (tested.returncode, tested.stderr) == (0, ""), tested.stdout


@pytest.mark.slow
def test_the_tests_notice_a_rule_that_fires_never_or_always(tmp_path: Path):
    mutants = []
    for path in RULES:
        tests = yaml.safe_load((TESTS_OF_RULES / path.name).read_text())
        for rule in rules_of(path):
            # To run those alone that look at it saves most of the time.
            concerned = [one for one in tests["tests"] if looks_at(one, rule["alert"])]
            for word, expression in (("never", "vector(1) < 0"), ("always", "vector(1)")):
                mutant = f"{rule['alert']}-{word}"
                mutants.append(mutant)
                (tmp_path / f"{mutant}.rules").write_text(mutated(path, rule["alert"], expression))
                written = {**tests, "rule_files": [f"{mutant}.rules"], "tests": concerned}
                (tmp_path / f"{mutant}.yml").write_text(yaml.safe_dump(written))

    tested = promtool("test", "rules", *(f"{mutant}.yml" for mutant in mutants), folder=tmp_path)

    # The tests' names and their success are written to one stream, failures to the other.
    assert re.findall(r"^Unit Testing:  (\S+)\.yml\n  SUCCESS", tested.stdout, re.MULTILINE) == []
    assert re.findall(r"^Unit Testing:  (\S+)\.yml", tested.stdout, re.MULTILINE) == mutants
    assert tested.stderr.count("  FAILED:") == len(mutants) == 2 * len(EVERY_RULE)


def looks_at(test: dict[str, Any], alert: str) -> bool:
    """Whether a test names this alarm, or counts all of them."""
    text = yaml.safe_dump(test, width=1_000)
    return alert in text or "count(ALERTS)" in text or 'count(ALERTS{alertstate="firing"' in text


def mutated(path: Path, alert: str, expression: str) -> str:
    """The rules of this file, one of them with another expression."""
    written: dict[str, Any] = yaml.safe_load(path.read_text())
    for group in written["groups"]:
        for rule in group["rules"]:
            if rule["alert"] == alert:
                rule["expr"] = expression
                rule.pop("for", None)
    return yaml.safe_dump(written)


@pytest.mark.parametrize(("path", "alert"), EVERY_RULE)
def test_every_alarm_says_how_bad_it_is_and_where_to_read_on(path: Path, alert: str):
    (rule,) = [rule for rule in rules_of(path) if rule["alert"] == alert]
    headings = re.findall(r"^#+ (\w+)$", (BASE_DIR / "docs" / "operations.md").read_text(), re.MULTILINE)

    assert rule["labels"]["severity"] in {"warning", "critical"}
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["runbook"] == f"docs/operations.md#{alert.lower()}"
    assert alert in headings


def test_no_two_alarms_have_one_name():
    names = [rule["alert"] for path in RULES for rule in rules_of(path)]
    assert sorted(set(names)) == sorted(names)
    assert {path.name for path in TESTS_OF_RULES.glob("*.yml")} == {path.name for path in RULES}
