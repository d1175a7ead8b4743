"""The dashboard for Grafana: what it asks Prometheus for is what a real page gives, by name and by label."""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from edge.sinks.watching.sink import WatchSink
from edge.stats import Stats
from tests.page.browser import Browser
from tests.page.made import event, hearing

ROOT = Path(__file__).resolve().parents[2]
BOARD = json.loads((ROOT / "deploy" / "grafana-edge-audio.json").read_text(encoding="utf-8"))
SCRAPED = {"instance", "job"}
"""Labels that Prometheus itself adds."""
WORDS = {"sum", "by", "increase", "rate"}
SELECTOR = re.compile(r"(edge_audio\w*)(?:\{([^}]*)\})?")
Labels = dict[str, set[str]]


def scraped(browser: Browser) -> Labels:
    """The labels of each metric that a page gives now."""
    found: Labels = {}
    for family in text_string_to_metric_families(browser.ask("/metrics").body.decode()):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


@pytest.fixture
def labels(state_dir: Path, browser: Browser) -> Labels:
    """Of a page whose appliance has told everything once."""
    told = {"version": "9.9", "model": "starter", "source": "ok", "muted": False, "sinks": {"mqtt": "ok"},
            "waiting_messages": 3}
    sink = WatchSink(state_dir, "kitchen", lambda: told, counters=Stats().snapshot)
    sink.start()
    try:
        with browser.look() as look:
            look.until(lambda told: any(each["kind"] == "health" for each in told))
            sink.hearing(hearing())
            sink.event(event(phase="start"))
            look.until(lambda told: {"hearing", "event"} <= {each["kind"] for each in told})
            return scraped(browser)
    finally:
        sink.stop()


def asked() -> list[tuple[str, str]]:
    """Each expression of the panels with its legend, and each query of the variables, without one."""
    queries = [each["query"]["query"] for each in BOARD["templating"]["list"] if each["type"] == "query"]
    return [(target["expr"], target["legendFormat"]) for panel in BOARD["panels"] for target in panel["targets"]] + [
        (query, "") for query in queries]


def strange(expression: str, legend: str, labels: Labels) -> list[str]:
    """What an expression names and a page does not give."""
    wrong, common = [], None
    for metric, selection in SELECTOR.findall(expression):
        if metric not in labels:
            wrong.append(metric)
            continue
        has = labels[metric] | SCRAPED
        common = has if common is None else common & has
        wrong += [f"{metric}{{{name}}}" for name in re.findall(r"(\w+)\s*=", selection) if name not in has]
    common = common or set()
    if (kept := re.search(r"\bby \(([^)]*)\)", expression)) is not None:
        names = set(re.split(r"\s*,\s*", kept[1]))
        wrong += sorted(names - common)
        common = names
    if (values := re.fullmatch(r"label_values\(.*, (\w+)\)", expression)) is not None:
        wrong += {values[1]} - common
    return wrong + [name for name in re.findall(r"\{\{(\w+)\}\}", legend) if name not in common]


def test_everything_that_is_asked_for_is_there(labels: Labels) -> None:
    assert not {expression: wrong for expression, legend in asked() if (wrong := strange(expression, legend, labels))}
    table = next(panel for panel in BOARD["panels"] if panel["type"] == "table")
    (shown,) = table["transformations"]
    assert set(shown["options"]["include"]["names"]) <= labels["edge_audio_info"] | SCRAPED


def test_what_the_issue_wants_is_asked_for(labels: Labels) -> None:
    """And nothing that the page gives is left out but what says the same twice."""
    named = {metric for expression, _ in asked() for metric, _ in SELECTOR.findall(expression)}
    assert set(labels) - named == {"edge_audio_start_time_seconds", "edge_audio_blocks_total"}


@pytest.mark.parametrize(("expression", "legend", "wrong"), [
    ('edge_audio_level{instance=~"$instance"}', "", ["edge_audio_level"]),
    ('edge_audio_level_dbfs{device=~"$device"}', "", ["edge_audio_level_dbfs{device}"]),
    ("sum by (part) (rate(edge_audio_events_total[1h]))", "{{target}}", ["part", "target"]),
    ("label_values(edge_audio_info, name)", "", ["name"]),
    ("edge_audio_up", "{{instance}} {{part}}", ["part"])])
def test_what_a_page_does_not_give_would_be_seen(labels: Labels, expression: str, legend: str, wrong: list[str]) -> None:
    assert strange(expression, legend, labels) == wrong


@pytest.mark.parametrize("expression", [each for each, _ in asked() if not each.startswith("label_values")])
def test_an_expression_is_one(expression: str) -> None:
    bare = re.sub(r"\[[^]]*\]|\{[^}]*\}|\"[^\"]*\"", "", expression)
    names = set(re.findall(r"[A-Za-z_]\w*", bare)) - WORDS
    assert all(name.startswith("edge_audio") or name == "target" for name in names), names
    assert expression.count("(") == expression.count(")") and 'instance=~"$instance"' in expression
    if "_total" in expression:
        assert re.search(r"(rate|increase)\(edge_audio_\w+_total\{[^}]*\}\[(\$__rate_interval|1h)\]\)", expression)


def test_the_dashboard_has_the_shape_that_grafana_imports() -> None:
    """No identifier of somebody's database, no data source, no host: a board of any Grafana from 10 on."""
    assert BOARD["title"] == BOARD["uid"] == "edge-audio" and BOARD["schemaVersion"] >= 38 and "id" not in BOARD
    variables = {each["name"]: each for each in BOARD["templating"]["list"]}
    assert list(variables) == ["datasource", "device", "instance"] and variables["datasource"]["query"] == "prometheus"
    source = {"type": "prometheus", "uid": "${datasource}"}
    assert variables["device"]["datasource"] == variables["instance"]["datasource"] == source
    assert set(re.findall(r"\$\{?([a-z]+)", json.dumps(BOARD))) == set(variables)
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"]) > 10
    for panel in BOARD["panels"]:
        assert panel["title"] and panel["type"] in ("stat", "table", "timeseries", "state-timeline")
        assert panel["datasource"] == source and {"defaults", "overrides"} == set(panel["fieldConfig"])
        assert [target["refId"] for target in panel["targets"]] == list("ABCDEFG"[:len(panel["targets"])])
        assert all(target["datasource"] == source for target in panel["targets"])


def test_no_panel_lies_on_another() -> None:
    def cells(place: dict[str, Any]) -> set[tuple[int, int]]:
        left, top, width, height = (place[name] for name in "xywh")
        assert left >= 0 and left + width <= 24
        return {(x, y) for x in range(left, left + width) for y in range(top, top + height)}

    places = [cells(panel["gridPos"]) for panel in BOARD["panels"]]
    assert all(one.isdisjoint(other) for one, other in combinations(places, 2))
