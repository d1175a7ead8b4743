"""What `edge-audio bench` says of costs: lines for people, and objects for programs."""

from __future__ import annotations

from collections.abc import Mapping

from edge.workshop.bench import Cost
from edge.workshop.bench_model import Compared, Measured
from edge.workshop.bench_process import ProcessCost

NAMES = {"gate_off": "gate off", "gate_on": "gate on", "quiet": "quiet room", "body": "body alone", "bare": "bare"}


def objects(found: Measured, peer_peaks: Mapping[str, int]) -> list[dict[str, object]]:
    """An object for each hop. peer_peaks: bytes of each peer."""
    return [{"runtime": found.runtime, "model": found.model, "hop_seconds": cost.hop_seconds, **as_dict(cost),
             **process_dict(found.process), "peer_peak_rss_bytes": dict(peer_peaks)} for cost in found.costs]


def lines(found: Measured) -> list[str]:
    """All in lines."""
    hops = [line for cost in found.costs for line in table(cost, found.model, found.runtime)]
    return [*hops, *process_lines(found.process)]


def as_dict(cost: Cost) -> dict[str, object]:
    """A hop's cost for JSON."""
    spent = {**cost.stages, "total": cost.spent["gate_off"]}
    bare, ratio = cost.spent.get("bare"), cost.over_bare.get("gate_off")
    return {"cpu_seconds_per_audio_second": _rounded(spent, 6),
            "bare_cpu_seconds_per_audio_second": None if bare is None else round(bare, 6),
            "ratio": None if ratio is None else round(ratio, 3),
            "run_cpu_seconds_per_audio_second": _rounded(cost.spent, 6),
            "over_body": _rounded(cost.over_body, 3), "over_bare": _rounded(cost.over_bare, 3),
            "gate_ratio": round(cost.gate, 3), "quiet_awake": round(cost.awake, 3),
            "ratio_without_looks": None if cost.without_looks is None else round(cost.without_looks, 3),
            "patches_per_second": round(cost.patches_per_second, 1)}


def process_dict(cost: ProcessCost) -> dict[str, object]:
    """A process's cost for JSON."""
    return {"peak_rss_bytes": cost.peak_bytes, "bare_peak_rss_bytes": cost.bare_peak_bytes,
            "peak_ratio": None if cost.peak_ratio is None else round(cost.peak_ratio, 3),
            "startup_seconds": round(cost.startup_seconds, 3), "startup_cpu_seconds": round(cost.startup_cpu_seconds, 3),
            "bare_startup_cpu_seconds": None if cost.bare_startup_cpu_seconds is None
            else round(cost.bare_startup_cpu_seconds, 3),
            "startup_ratio": None if cost.startup_ratio is None else round(cost.startup_ratio, 3)}


def _rounded(values: Mapping[str, float], digits: int) -> dict[str, float]:
    return {name: round(value, digits) for name, value in values.items()}


def table(cost: Cost, model: str, runtime: str) -> list[str]:
    """A hop's cost in lines."""
    staged = sum(cost.stages.values())
    said = [f"{model} on {runtime}, hop {cost.hop_seconds:g} s: CPU milliseconds for a second of sound",
             f"  {'stages, timed apart':<22}{staged * 1000:8.3f}"]
    said += [f"    {name:<20}{value * 1000:8.3f}  {value / staged:6.1%}" for name, value in cost.stages.items()]
    if cost.without_looks is not None:
        said.append(f"    {cost.without_looks:.3f} times as much as without looks, with rows made by the hop")
    said.append(f"  {'the listener':<22}{'':8}  times the body" + ("  times bare" if cost.over_bare else ""))
    for name, value in cost.spent.items():
        ratios = [f"{each[name]:{width}.2f}" if name in each else " " * width
                  for each, width in ((cost.over_body, 16), (cost.over_bare, 12))]
        said.append(f"    {NAMES.get(name, name):<20}{value * 1000:8.3f}{''.join(ratios)}".rstrip())
    said.append(f"  the gate costs {cost.gate - 1.0:+.1%} where there is sound; in the quiet room the body hears "
                 f"{cost.awake:.0%} of the patches")
    return said


def process_lines(cost: ProcessCost) -> list[str]:
    """A process's cost in lines."""
    memory, start = f"peak memory of run: {cost.peak_bytes / 1e6:.0f} MB", \
        f"start-up: {cost.startup_cpu_seconds:.2f} s of CPU ({cost.startup_seconds:.2f} s in all)"
    if cost.bare_peak_bytes is not None:
        memory += f", {cost.peak_ratio:.2f} times the bare interpreter's {cost.bare_peak_bytes / 1e6:.0f} MB"
    if cost.bare_startup_cpu_seconds is not None:
        start += f", {cost.startup_ratio:.2f} times the bare interpreter's {cost.bare_startup_cpu_seconds:.2f}"
    return [memory, start]


def peer_lines(found: Compared) -> list[str]:
    """What each peer takes over ours, gate on, and its memory."""
    said = []
    for peer, peak in found.peer_peaks.items():
        for each in found.models:
            times = ", ".join(f"{cost.spent[peer] / cost.spent['gate_on']:.2f} at {cost.hop_seconds:g} s"
                              for cost in each.costs)
            said.append(f"{peer}, over ours with {each.model}: CPU time {times}; peak memory "
                        f"{peak / each.process.peak_bytes:.2f} ({peak / 1e6:.0f} MB)")
    return said


TITLES = {"mediapipe": "MediaPipe"}


def pictured(found: Compared) -> tuple[list[float], dict[str, list[float]], dict[str, list[float]], dict[str, float]]:
    """What `plot_costs` draws, where something was run bare: hops; over the bare loop, at each hop, what each program takes
    of CPU time in varied sound, and what ours take in a quiet room; and peaks in MB."""
    first, *_ = found.models
    varied = {"bare loop": [1.0 for _ in first.costs]}
    memory = {"bare loop": (first.process.bare_peak_bytes or 0) / 1e6}
    quiet = {}
    for peer, peak in found.peer_peaks.items():
        name = TITLES.get(peer, peer)
        varied[name] = [cost.over_bare[peer] for cost in first.costs]
        memory[name] = peak / 1e6
    for each in found.models:
        name = f"edge-audio, {each.model}"
        varied[name] = [cost.over_bare["gate_on"] for cost in each.costs]
        quiet[name] = [cost.over_bare["quiet"] for cost in each.costs]
        memory[name] = each.process.peak_bytes / 1e6
    return [cost.hop_seconds for cost in first.costs], varied, quiet, memory
