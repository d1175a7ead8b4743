"""What is counted. One object, written by the listener and the sources, read for health."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(slots=True)
class Stats:
    """Counters since the start. Whole numbers only grow; each is written by one thread."""

    blocks: int = 0
    """Blocks heard."""
    samples: int = 0
    """Samples (16 kHz) heard."""
    gaps: int = 0
    """Times that samples were lost."""
    lost_samples: int = 0
    """Samples known to be lost, at the source's own rate (an overflow of unknown length counts as a gap only)."""
    deaf_seconds: float = 0.0
    """Seconds of sound that no patch could cover because a gap broke them."""
    patches: int = 0
    """Patches given to the model."""
    gated_patches: int = 0
    """Patches left out because the activity gate was closed."""
    passed_patches: int = 0
    """Patches left out because the board was too slow."""
    dropped_samples: int = 0
    """Samples (16 kHz) thrown away because the board was too slow even so."""
    looks: int = 0
    """Looks at onsets."""
    looks_left_out: int = 0
    """Onsets that were not looked at because there were too many in a second."""
    events: int = 0
    """Events started."""
    dropped_events: int = 0
    """Messages that the outbox had no room for; told as ranges on the topic `dropped`."""
    clipped_samples: int = 0
    """Samples at either end of the int16 range."""
    muted_samples: int = 0
    """Samples (16 kHz) thrown away because of a command to mute."""
    commands: int = 0
    """Commands done or refused, each with an answer."""
    dropped_commands: int = 0
    """Commands dropped without an answer because too many came."""
    reopened: int = 0
    """Times that a source was lost and found again."""

    def snapshot(self) -> dict[str, int | float]:
        """A copy as a plain dict, names as above."""
        return asdict(self)
