"""What owners call sounds, and what serves them: a rhythm, looks, labels of the starter or of YAMNet, or a lesson."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge.decision.rhythm import RHYTHMS
from edge.errors import nearest
from edge.settings import TargetSettings


@dataclass(frozen=True, slots=True)
class Wish:
    """A sound that owners want. names: what they call it, in small letters. starter, yamnet: labels of these models.
    rhythm: the target that hears it by its rhythm, with any model.
    """

    names: tuple[str, ...]
    starter: tuple[str, ...] = ()
    yamnet: tuple[str, ...] = ()
    rhythm: str = ""


WISHES = (
    Wish(("smoke_alarm", "fire_alarm", "smoke_detector", "smoke", "alarm", "beep"), ("alarm_beep",),
         ("Smoke detector, smoke alarm", "Fire alarm"), "smoke_alarm"),
    Wish(("co_alarm", "co_detector", "carbon_monoxide", "carbon_monoxide_alarm"), ("alarm_beep",),
         ("Smoke detector, smoke alarm",), "co_alarm"),
    Wish(("doorbell", "door_bell", "bell", "chime"), (), ("Doorbell", "Ding-dong")),
    Wish(("door_knock", "knock", "knocking"), ("door_knock",), ("Knock",)),
    Wish(("glass_break", "glass", "breaking_glass", "window"), ("glass_break",), ("Glass", "Shatter", "Breaking")),
    Wish(("baby_cry", "baby", "crying", "infant"), ("baby_cry",), ("Baby cry, infant cry",)),
    Wish(("hand_clap", "clap", "claps", "clapping"), ("hand_clap",), ("Clapping",)),
    Wish(("finger_snap", "snap", "snapping"), ("finger_snap",), ("Finger snapping",)),
    Wish(("typing", "keyboard", "typewriter"), ("typing",), ("Typing", "Computer keyboard")),
    Wish(("dog_bark", "dog", "bark", "barking"), ("dog_bark",), ("Dog", "Bark")),
    Wish(("cat", "meow", "cat_meow"), (), ("Cat", "Meow")),
    Wish(("phone_ring", "phone", "telephone", "ringtone"), ("phone_ring",), ("Telephone bell ringing", "Ringtone")),
    Wish(("siren", "ambulance", "police"), ("siren",), ("Siren", "Ambulance (siren)", "Police car (siren)")),
    Wish(("speech", "voice", "talking"), ("speech",), ("Speech", "Conversation")),
    Wish(("scream", "screaming", "shout", "yell"), (), ("Screaming", "Shout", "Yell")),
    Wish(("laughter", "laugh", "laughing"), (), ("Laughter",)),
    Wish(("cough", "coughing"), ("cough",), ("Cough",)),
    Wish(("snoring", "snore"), ("snoring",), ("Snoring",)),
    Wish(("whistle", "whistling"), ("whistle",), ("Whistling", "Whistle")),
    Wish(("water_running", "water", "tap", "faucet"), ("water_running",), ("Water", "Water tap, faucet")),
    Wish(("vacuum_cleaner", "vacuum", "hoover"), (), ("Vacuum cleaner",)),
    Wish(("microwave", "microwave_oven"), (), ("Microwave oven",)),
    Wish(("footsteps", "steps"), (), ("Walk, footsteps",)),
    Wish(("car_alarm",), (), ("Car alarm",)),
    Wish(("gunshot", "shot"), (), ("Gunshot, gunfire",)),
)


def what_serves(name: str, labels: Sequence[str]) -> str:
    """The end of an error about a target that a model lacks: what would serve instead. labels: the model's.

    Names the model's labels that stand for the sound or are written alike, YAMNet where it has some, and a lesson.
    """
    plain = name.lower().replace("-", "_").replace(" ", "_")
    wish = next((each for each in WISHES if plain in each.names), Wish(()))
    mine = [f'"{label}"' for label in (*wish.starter, *wish.yamnet) if label in labels]
    ways = [f'name = "{wish.rhythm}", which any model hears by its rhythm'] if wish.rhythm else []
    ways += [f"labels = [{', '.join(mine)}]"] if mine else []
    if wish.yamnet and not set(wish.yamnet) & set(labels):
        ways.append(f'[model] name = "yamnet", which has {" and ".join(wish.yamnet)} (edge-audio model install yamnet)')
    ways.append(f"edge-audio teach {name} RECORDINGS...")
    alike = ", ".join(nearest(name, labels, 3))
    return f"labels of the model{f'; nearest: {alike}' * bool(alike)}; what serves: {'; or '.join(ways)}"


def has_rhythm(target: TargetSettings, labels: Sequence[str]) -> bool:
    """Whether a target of the settings is heard by its rhythm: it has the name of one, and neither the settings give it
    labels nor the model (labels: the model's) has a label of that name, as of a taught sound."""
    return (target.name in RHYTHMS and target.name not in labels
            and not (target.labels or target.pattern_of or target.louder_db))


def looks_may_decide(target: TargetSettings) -> bool:
    """Whether nothing in a target's settings keeps it from the look network, where that offers to name it."""
    return not (target.labels or target.sound == "lasting" or target.pattern_of or target.louder_db)
