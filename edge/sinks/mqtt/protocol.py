"""Which MQTT version to speak: the settings' own, or 5 first and 3.1.1 with a broker that does not speak it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

LOG = logging.getLogger(__name__)

REFUSAL_SECONDS = 86_400.0
"""A broker that said that it does not speak 5 is asked again at the first connection after so long: it may be new."""

GUESS_SECONDS = 3_600.0
"""The same for one that hung up on 5 without a word: that may have had another reason, and 5 says more."""


class Protocol:
    """What a broker was found to speak, kept from one connection to the next. For one thread."""

    def __init__(self, setting: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        """setting: `[mqtt] protocol`; monotonic: a clock in seconds."""
        self.setting = setting
        self._monotonic = monotonic
        self._older_until = float("-inf")

    def versions(self) -> tuple[str, ...]:
        """Those to try at the next connection, in this order."""
        if self.setting != "auto":
            return (self.setting,)
        return ("3.1.1", "5") if self._monotonic() < self._older_until else ("5", "3.1.1")

    def took(self, broker: str, version: str, *, refused: bool) -> None:
        """It took us in with the second of `versions`. refused: it said no to the first, rather than nothing."""
        LOG.warning("mqtt: %s does not speak MQTT %s%s; speaking %s, in which it cannot say all that 5 can", broker,
                    "3.1.1" if version == "5" else "5", "" if refused else " (it hung up)", version)
        seconds = REFUSAL_SECONDS if refused else GUESS_SECONDS
        self._older_until = self._monotonic() + seconds if version == "3.1.1" else float("-inf")
