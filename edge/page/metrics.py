"""`/metrics`: what the appliance tells, as Prometheus reads it (the official client library, with a registry of its own)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric

from edge import __version__
from edge.backoff import PARTS, is_well
from edge.page.viewers import Message

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
COUNTERS = {
    "blocks": "Blocks heard", "samples": "Samples heard, at 16 kHz", "gaps": "Times that samples were lost",
    "lost_samples": "Samples known to be lost, at the source's rate", "deaf_seconds": "Seconds that no patch could cover",
    "patches": "Patches given to the model", "gated_patches": "Patches left out because the gate was closed",
    "passed_patches": "Patches left out because the board was too slow",
    "dropped_samples": "Samples thrown away because the board was too slow, at 16 kHz",
    "looks": "Looks at onsets", "looks_left_out": "Onsets that were not looked at, because there were too many",
    "dropped_events": "Messages to the broker that there was no room for", "clipped_samples": "Samples at full scale",
    "muted_samples": "Samples thrown away while muted", "commands": "Commands answered",
    "dropped_commands": "Commands dropped without an answer", "reopened": "Times that the source was lost and found again",
}
"""Counters of health, and what they count. They begin anew with the appliance."""


class Figures:
    """Gathers the figures. A collector of the client library; belongs to the loop's thread."""

    def __init__(self, newest: Mapping[str, Message], answers: Callable[[], bool], viewers: Callable[[], int]) -> None:
        """newest: the newest message of each kind; answers: whether an appliance answers; viewers: how many look."""
        self._newest, self._answers, self._viewers = newest, answers, viewers
        self._events: dict[str, int] = {}
        self._last, self._begun = 0, False
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def note(self, told: Message, past: bool) -> None:
        """Count an event that has started, once. past: of those that the appliance began with, which count only
        where this server has not heard of them in its own time."""
        self._begun = self._begun or not past
        if told["kind"] != "event":
            return
        event = told["event"]
        missed = not past or (self._begun and event["sequence"] > self._last)
        self._last = max(self._last, event["sequence"]) if past else event["sequence"]
        self._events.setdefault(event["target"], 0)
        if missed and event["phase"] == "start":
            self._events[event["target"]] += 1

    def text(self) -> bytes:
        """All figures, in Prometheus' text format."""
        return bytes(generate_latest(self._registry))

    def collect(self) -> Iterator[Metric]:
        """What the client library asks for."""
        yield GaugeMetricFamily("edge_audio_up", "Whether the appliance answers", value=float(self._answers()))
        yield GaugeMetricFamily("edge_audio_page_viewers", "Who look at the page now", value=self._viewers())
        events = CounterMetricFamily("edge_audio_events", "Events started while the page's server ran", labels=["target"])
        targets = (self._newest.get("hearing") or {}).get("targets", [])
        # From zero, before the first event: Prometheus sees no increase in a figure that begins with one.
        for target, count in ({each["target"]: 0 for each in targets} | self._events).items():
            events.add_metric([target], count)
        yield events
        if (about := self._newest.get("about")) is not None:
            yield from _of_about(about["device"], about["about"])
        if (health := self._newest.get("health")) is not None:
            yield from _of_health(health["health"])
        if (hearing := self._newest.get("hearing")) is not None:
            yield from _of_hearing(hearing)


def _of_about(device: str, about: Mapping[str, Any]) -> Iterator[Metric]:
    yield InfoMetricFamily("edge_audio", "The appliance and its page", value={
        "device": str(device), "version": str(about.get("version", "")), "model": str(about.get("model", "")),
        "page_version": __version__})
    parts = {name: about[name] for name in PARTS if name in about}
    parts |= {f"sink:{name}": state for name, state in about.get("sinks", {}).items()}
    well = GaugeMetricFamily("edge_audio_part_ok", "Whether a part of the appliance is well", labels=["part"])
    for name, state in parts.items():
        well.add_metric([name], float(is_well(state)))
    yield well
    yield GaugeMetricFamily("edge_audio_muted", "Whether the sound is thrown away", value=float(bool(about.get("muted"))))
    if (waiting := about.get("waiting_messages")) is not None:
        yield GaugeMetricFamily("edge_audio_waiting_messages", "Messages that wait for the broker", value=waiting)


def _of_health(health: Mapping[str, Any]) -> Iterator[Metric]:
    for name, meaning in COUNTERS.items():
        if name in health:
            yield CounterMetricFamily(f"edge_audio_{name}", meaning, value=health[name])
    if (seconds := health.get("uptime_seconds")) is not None:
        yield GaugeMetricFamily("edge_audio_uptime_seconds", "Seconds that the appliance runs", value=seconds)
        yield GaugeMetricFamily("edge_audio_start_time_seconds", "When the appliance started, in seconds since 1970",
                                value=round(time.time() - seconds))


def _of_hearing(hearing: Mapping[str, Any]) -> Iterator[Metric]:
    yield GaugeMetricFamily("edge_audio_level_dbfs", "Level of the newest hop", value=hearing["level_dbfs"])
    yield GaugeMetricFamily("edge_audio_noise_floor_dbfs", "The room's noise", value=hearing["noise_dbfs"])
    yield GaugeMetricFamily("edge_audio_gate_open", "Whether the gate is open", value=float(hearing["gate_open"]))
    probability = GaugeMetricFamily("edge_audio_probability", "Probability of a target in the newest hop", labels=["target"])
    threshold = GaugeMetricFamily("edge_audio_threshold", "The probability that starts an event", labels=["target"])
    for each in hearing["targets"]:
        if each["probability"] is not None:
            probability.add_metric([each["target"]], each["probability"])
        threshold.add_metric([each["target"]], each["threshold"])
    yield probability
    yield threshold
