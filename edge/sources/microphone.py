"""A microphone through PortAudio. The one file that imports pyaudio, and only when a microphone is asked for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from edge.errors import SourceError
from edge.settings import SourceSettings
from edge.sources.cards import USUAL_RATES, Microphone, channel_counts, choose, pick_format
from edge.sources.delivered import warn_of_low_rate
from edge.sources.live import LiveSource
from edge.sources.quiet import quiet_libraries
from edge.stats import Stats
from edge.stream import StreamFormat

STALLED_SECONDS = 5.0
"""Without a callback for so long the microphone counts as lost. PulseAudio may need 2 s to start."""
PARTS = 2
"""PortAudio gives so many parts of a block, each with a call of its own: a look waits for the end of a part."""
_ENDING_SECONDS = 1.0
_POLL_SECONDS = 0.2


class MicrophoneSource(LiveSource):
    """The microphone whose name contains `settings.microphone`, or the system's default; found again when lost."""

    def __init__(self, settings: SourceSettings, stats: Stats, *, clock: Callable[[], float] = time.monotonic,
                 stalled_seconds: float = STALLED_SECONDS) -> None:
        """Raises SourceError where PyAudio is missing. The microphone itself may come later."""
        super().__init__(settings, stats, clock=clock)
        self._module = _pyaudio()
        self._stalled_seconds = stalled_seconds
        self._card = ""
        self._first = True
        self._ending = False

    @property
    def name(self) -> str:
        """What the settings call it, or the card's own name once it is found."""
        return f"microphone {self._card or self._settings.microphone or 'by default'!r}"

    def _hear(self) -> None:
        self._first, self._ending = True, False
        # PortAudio lists the cards once, when it is initialised: only a new one sees what was plugged in.
        with _port_audio() as audio:
            with quiet_libraries():
                card, form = audio.pick(self._settings)
                self._card = str(card["name"])
                self._crossing.begin(form)
                stream = audio.open(card, form, self._settings.block_seconds, self._callback)
            if not self._times_opened:
                warn_of_low_rate(form, self.name)
            try:
                self._watch(stream)
            except OSError as error:  # PyAudio's own, or ours, which passes with its words
                lost = _lost(self.name, error)
                self._lose(lost)  # at once: giving back a stream that hangs can take a minute
                raise lost from error
            finally:
                self._give_back(stream)

    def _callback(self, data: bytes, length: int, times: Mapping[str, float], flags: int) -> tuple[None, int]:
        """PortAudio's thread: hand over and return. No log, no maths; an exception here would end the stream.

        data: int16, native, interleaved; PyAudio made this copy for us alone. An overflow flag on a stream's first
        block is no loss: nothing came before (slow start-up, -9981).
        """
        if self._ending:
            return None, self._module.paComplete
        overflow = bool(flags & self._module.paInputOverflow) and not self._first
        self._crossing.offer(np.frombuffer(data, np.int16), lost_before=overflow)
        self._first = False
        return None, self._module.paContinue

    def _watch(self, stream: Any) -> None:
        """Return after close(); raise SourceError when the sound stops coming."""
        offered, heard_at = self._crossing.offered, self._clock()
        while not self._closing.wait(_POLL_SECONDS):
            if self._crossing.offered != offered:
                offered, heard_at = self._crossing.offered, self._clock()
                if self._trouble:
                    self._opened()
            self._check_stillness()
            if not stream.is_active():
                raise SourceError(self.name, found="its stream ended: unplugged?", wanted="sound without an end")
            if self._clock() - heard_at > self._stalled_seconds:
                raise SourceError(self.name, found=f"no sound for {self._stalled_seconds:g} s", wanted="sound")

    def _give_back(self, stream: Any) -> None:
        """Close the stream, its thread having ended by itself if it still can.

        Closing an active stream cancels PortAudio's thread wherever it is. Within Python that would keep the
        interpreter's lock for ever, so the callback is asked to end it first; a thread that has not come by for a
        second hangs in the driver, where it may be cancelled.
        """
        self._ending = True
        deadline = time.monotonic() + _ENDING_SECONDS
        try:
            while stream.is_active() and time.monotonic() < deadline:
                time.sleep(0.01)
            if not stream.is_active():
                stream.stop_stream()  # joins the thread
        except OSError:
            pass  # it was lost; close() is what is left to do
        stream.close()


def list_microphones() -> list[Microphone]:
    """Every input that PortAudio sees now, with what it offers. Raises SourceError where PyAudio is missing."""
    with _port_audio() as audio, quiet_libraries():
        return [audio.describe(card) for card in audio.cards()]


def _pyaudio() -> Any:
    try:
        import pyaudio  # type: ignore[import-untyped,import-not-found,unused-ignore]
    except ImportError as error:
        raise SourceError("microphone", found=f"no PyAudio ({error})",
                          wanted='Debian\'s python3-pyaudio; or kind = "command" with arecord, which needs no compiler'
                          ) from error
    return pyaudio


def _lost(thing: str, error: OSError) -> SourceError:
    if isinstance(error, SourceError):
        return error
    return SourceError(thing, found=str(error.strerror or error), wanted="a microphone that can be opened and heard")


@contextmanager
def _port_audio() -> Iterator[_PortAudio]:
    """PortAudio from initialisation to termination. Raises SourceError where it cannot begin."""
    module = _pyaudio()
    with quiet_libraries():
        try:
            audio = module.PyAudio()
        except OSError as error:
            raise _lost("PortAudio", error) from error
    try:
        yield _PortAudio(module, audio)
    finally:
        audio.terminate()


class _PortAudio:
    """The cards that PortAudio found: the device dicts of PyAudio."""

    def __init__(self, module: Any, audio: Any) -> None:
        """module: pyaudio; audio: its PyAudio object, initialised."""
        self._module, self._audio = module, audio

    def cards(self) -> list[Mapping[str, Any]]:
        """Those with inputs."""
        every = [self._audio.get_device_info_by_index(i) for i in range(self._audio.get_device_count())]
        return [card for card in every if card["maxInputChannels"] > 0]

    def describe(self, card: Mapping[str, Any]) -> Microphone:
        api = self._audio.get_host_api_info_by_index(card["hostApi"])["name"]
        counts = channel_counts(card["maxInputChannels"])
        try:
            rates = [rate for rate in sorted(USUAL_RATES) if any(self._offers(card, rate, n) for n in counts)]
        except SourceError:  # in use by another program: it is listed all the same, without rates
            rates = []
        return Microphone(card["name"], api, card["maxInputChannels"], round(card["defaultSampleRate"]), tuple(rates))

    def pick(self, settings: SourceSettings) -> tuple[Mapping[str, Any], StreamFormat]:
        """The card that the settings mean and how to open it. Raises SourceError, SettingsError."""
        cards = self.cards()
        if settings.microphone:
            card = cards[choose([str(card["name"]) for card in cards], settings.microphone)]
        else:
            try:
                card = self._audio.get_default_input_device_info()
            except OSError as error:
                raise SourceError("microphone", found="none at all", wanted="a sound card with an input") from error
        form = pick_format(settings, card["name"], card["maxInputChannels"], round(card["defaultSampleRate"]),
                           lambda rate, channels: self._offers(card, rate, channels))
        return card, form

    def open(self, card: Mapping[str, Any], form: StreamFormat, block_seconds: float,
             callback: Callable[..., tuple[None, int]]) -> Any:
        """A started stream. Raises SourceError."""
        try:
            return self._audio.open(format=self._module.paInt16, channels=form.channels, rate=form.rate, input=True,
                                    input_device_index=card["index"], stream_callback=callback,
                                    frames_per_buffer=max(1, round(form.rate * block_seconds / PARTS)))
        except OSError as error:
            raise _lost(f"microphone {card['name']!r}", error) from error

    def _offers(self, card: Mapping[str, Any], rate: int, channels: int) -> bool:
        try:
            return bool(self._audio.is_format_supported(rate, input_device=card["index"], input_channels=channels,
                                                        input_format=self._module.paInt16))
        except ValueError as error:  # (words, number)
            words, number = (*error.args, "", 0)[:2]
            if number in (self._module.paInvalidSampleRate, self._module.paInvalidChannelCount,
                          self._module.paSampleFormatNotSupported):
                return False
            found = "in use by another program" if number == self._module.paDeviceUnavailable else str(words)
            raise SourceError(f"microphone {card['name']!r}", found=found,
                              wanted="a microphone that can be opened") from error
