"""Dashboard and alerts ask only for metrics that the bot has, and show all that it has."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML

from bot.metrics import Metrics

CONTRIB = Path(__file__).parents[2] / "contrib"
DASHBOARD = json.loads((CONTRIB / "grafana" / "bbb-bot.json").read_text(encoding="utf-8"))
ALERTS = CONTRIB / "prometheus" / "bbb-bot-alerts.yml"
PROCESS = {"process_resident_memory_bytes", "process_open_fds"}
"""As prometheus_client's ProcessCollector calls them; only Linux has them."""


def families() -> dict[str, set[str]]:
    """Our metrics: each family with the names of its samples, and its labels."""
    metrics = Metrics()
    found = {}
    for family in text_string_to_metric_families(metrics.page().decode()):
        if not family.name.startswith("bbb_bot_"):
            continue
        endings = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"]}
        found[family.name] = {f"{family.name}{end}" for end in endings.get(family.type, [""])}
    return found


def queries() -> Iterator[str]:
    for panel in DASHBOARD["panels"]:
        yield from (target["expr"] for target in panel["targets"])
    yield from (rule["expr"] for rule in alerts())


def alerts() -> list[dict[str, Any]]:
    groups = YAML(typ="safe", pure=True).load(ALERTS.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def asked_for(query: str) -> set[str]:
    return set(re.findall(r"\b(?:bbb_bot|process)_\w+", query))


def test_every_query_asks_for_a_metric_that_exists() -> None:
    known = set[str]().union(*families().values()) | PROCESS
    for query in queries():
        assert asked_for(query), query
        assert asked_for(query) <= known, query


def test_every_metric_is_on_the_dashboard() -> None:
    shown = {
        name
        for panel in DASHBOARD["panels"]
        for target in panel["targets"]
        for name in asked_for(target["expr"])
    }
    assert [name for name, samples in families().items() if not samples & shown] == []


def test_every_label_asked_for_exists() -> None:
    metrics = vars(Metrics())
    labels = {label for metric in metrics.values() for label in getattr(metric, "_labelnames", ())}
    for query in queries():
        grouped = re.findall(r"by \(([^)]*)\)", query)
        compared = re.findall(r"(\w+)=~?\"", query)
        named = {word.strip() for group in grouped for word in group.split(",")} | set(compared)
        assert named <= labels | {"le", "job"}, query


def test_the_panels_are_told_apart_and_do_not_overlap() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells


def test_every_alert_says_what_happened_and_what_to_do() -> None:
    for rule in alerts():
        assert set(rule["annotations"]) == {"summary", "action"}, rule["alert"]
        assert rule["labels"]["severity"] in ("critical", "warning")
