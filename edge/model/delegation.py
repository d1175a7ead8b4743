"""Delegates: loading the one that was named, and how much of a model's graph they took (that one, and XNNPACK)."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

from edge.errors import ModelError


@dataclass(frozen=True, slots=True)
class Delegation:
    """`taken` of the model's `operators` run in delegates, in `pieces` that the graph was cut into."""

    taken: int
    operators: int
    pieces: int

    @property
    def enough(self) -> bool:
        """Whether the delegates have at least half of the graph. XNNPACK without a processor that it knows takes nothing."""
        return 2 * self.taken >= self.operators

    def __str__(self) -> str:
        if not self.taken:
            return f"none of {self.operators} operators"
        return f"{self.taken} of {self.operators} operators in {self.pieces} piece{'s' if self.pieces != 1 else ''}"


def count_delegated(interpreter: Any) -> Delegation | None:
    """Count the operators behind each delegate node: those met walking from its outputs back to its inputs.

    The interpreter keeps the operators that a delegate replaced in its list of nodes, and adds one node for each
    piece. It tells them through a private method only; None where a version has none.
    """
    details = getattr(interpreter, "_get_ops_details", None)
    if details is None:
        return None
    nodes: list[dict[str, Any]] = details()
    pieces = [node for node in nodes if "DELEGATE" in node["op_name"].upper()]
    own = [node for node in nodes if "DELEGATE" not in node["op_name"].upper()]
    maker = {int(tensor): index for index, node in enumerate(own) for tensor in node["outputs"]}
    taken: set[int] = set()
    for piece in pieces:
        outside = {int(tensor) for tensor in piece["inputs"]}
        waiting = [int(tensor) for tensor in piece["outputs"]]
        while waiting:
            tensor = waiting.pop()
            index = maker.get(tensor)
            if tensor in outside or index is None or index in taken:
                continue
            taken.add(index)
            waiting += [int(source) for source in own[index]["inputs"]]
    return Delegation(len(taken), len(own), len(pieces))


def load_delegate(module: Any, library: str) -> Any:
    """An external delegate, by `module`, a runtime's. Raises ModelError for a library or a device that is missing.

    Looked at with ctypes first: the runtimes' own class raises again when it is freed.
    """
    thing = f"delegate {library}"
    try:
        if not hasattr(ctypes.CDLL(library), "tflite_plugin_create_delegate"):
            raise ModelError(thing, found="a library without tflite_plugin_create_delegate",
                             wanted="a TFLite external delegate")
        return module.load_delegate(library)
    except (OSError, ValueError) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(thing, found=str(error) or "a delegate that finds no device",
                         wanted="a library and a device that are there (libedgetpu.so.1: Edge TPU)") from error
