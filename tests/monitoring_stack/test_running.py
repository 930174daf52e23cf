"""A whole shop, watched by a real Prometheus with the files of deploy/monitoring."""

from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from tests.backups.cluster import wait_until
from tests.monitoring_stack.dashboards import PARTS, metrics_in, questions_of
from tests.monitoring_stack.prometheus import DASHBOARDS, RULES, Prometheus, rules_of, running_prometheus
from tests.monitoring_stack.shop import TOKEN, WatchedShop, watched_shop
from tests.project.test_bootstrap import free_port

# What a shop that has just been opened must not be said to lack, however slow the machine is.
IN_ORDER = {
    *("SamovarDown", "SamovarGone", "SamovarNoWorker", "SamovarNoBeat", "SamovarNoWatchdog"),
    *("SamovarNoBackup", "SamovarBackupOld", "SamovarWalNotReceived", "SamovarLastMomentsLost"),
    *("SamovarFigureMissing", "SamovarFiguresOld", "SamovarAlertsNotSent", "SamovarMessagesGivenUp"),
    *("SamovarMarketplaceDisconnected", "SamovarMarketplaceNotRead", "SamovarDatabaseUnreachable"),
}


@pytest.mark.prometheus
@pytest.mark.slow
def test_every_panel_has_data_every_rule_is_understood_and_a_stopped_shop_is_noticed(tmp_path: Path):
    """One test, because the shop takes so long to open."""
    with (
        watched_shop(tmp_path / "shop") as shop,
        running_prometheus(tmp_path / "prometheus", shop=shop.port, token=TOKEN, port=int(free_port())) as prometheus,
    ):
        wait_until(prometheus.is_ready)

        only_the_token_opens_the_metrics(shop)
        every_question_of_every_panel_is_answered(shop, prometheus)
        every_metric_that_is_asked_for_is_told(prometheus)
        every_rule_is_understood(prometheus)
        a_shop_in_order_raises_no_alarm(prometheus)
        a_shop_that_stops_is_noticed(shop, prometheus)


def only_the_token_opens_the_metrics(shop: WatchedShop) -> None:
    assert shop.status_of("/metrics") == 401
    assert shop.status_of("/metrics", Authorization="Bearer another") == 401
    assert shop.status_of("/metrics", Authorization=f"Bearer {TOKEN}") == 200


def every_question_of_every_panel_is_answered(shop: WatchedShop, prometheus: Prometheus) -> None:
    left = [question for path in DASHBOARDS for question in questions_of(path)]
    assert len(left) > 100

    def all_are_answered() -> bool:
        # Something goes on in the shop meanwhile.
        shop.visit()
        left[:] = [question for question in left if not prometheus.query(question.expression)]
        return not left

    try:
        wait_until(all_are_answered, seconds=180)
    except AssertionError:
        pytest.fail("No answer:\n" + "\n".join(map(str, left)))


def every_metric_that_is_asked_for_is_told(prometheus: Prometheus) -> None:
    """A zero stands in for many where there is nothing to count: it must not hide that there is no such metric."""
    told = set(prometheus.ask("metadata"))
    # What counts by label is told from the first time on; errors of the database, let us hope, never. But it is there.
    told |= {family.name for family in REGISTRY.collect()}
    told = {name.removesuffix("_total") for name in told}
    asked = {name for path in DASHBOARDS for one in questions_of(path) for name in metrics_in(one.expression)}
    asked |= {name for path in RULES for rule in rules_of(path) for name in metrics_in(rule["expr"])}
    assert {one for one in asked if one.removesuffix("_total") not in told and PARTS.sub("", one) not in told} == set()


def every_rule_is_understood(prometheus: Prometheus) -> None:
    wait_until(lambda: all(rule["health"] == "ok" for rule in rules(prometheus)))
    assert {rule["name"] for rule in rules(prometheus)} == {rule["alert"] for path in RULES for rule in rules_of(path)}
    assert [rule["lastError"] for rule in rules(prometheus) if rule.get("lastError")] == []


def a_shop_in_order_raises_no_alarm(prometheus: Prometheus) -> None:
    """Not even one that waits for a while before it fires."""
    raised: set[str] = set()

    def nothing_is_raised() -> bool:
        raised.clear()
        raised.update(rule["name"] for rule in rules(prometheus) if rule["state"] != "inactive")
        return not raised & IN_ORDER

    try:
        wait_until(nothing_is_raised, seconds=60)
    except AssertionError:
        pytest.fail(f"Raised: {sorted(raised & IN_ORDER)}")


def a_shop_that_stops_is_noticed(shop: WatchedShop, prometheus: Prometheus) -> None:
    shop.close()

    wait_until(lambda: prometheus.query('ALERTS{alertname="SamovarDown", alertstate="pending"}'), seconds=60)

    target = prometheus.target()
    assert target["health"] == "down"
    assert "connection refused" in target["lastError"]


def rules(prometheus: Prometheus) -> list[dict[str, Any]]:
    return [rule for group in prometheus.ask("rules")["groups"] for rule in group["rules"]]
