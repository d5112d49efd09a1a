"""The sound of a stretch of a file: decoded, mixed to one channel at 16 kHz, each piece with its place in time.

Here: choosing the audio stream, positioning, decoding and resampling. Not here: what is heard (`stages.speech.spans`).

Times are those of the container, which all its streams share; a place in time is a number of samples since its 0.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet as AnyPacket
from numpy.typing import NDArray

from schemas.time import TimeBase
from stages.media.damage import DamageLog
from stages.media.demux import read_packets

Packet: TypeAlias = "AnyPacket[AudioStream]"
Wave: TypeAlias = NDArray[np.float32]
"""(S,) samples, -1 to 1."""

RATE_HZ = 16_000

SOUND_LOST = "packet of sound|could not be decoded"
SOUND_READ_ERROR = "read error|lost a stretch of the sound"
"""Kinds of damage, for `DamageLog`."""

_JUMP_S = Fraction(1, 20)
"""Timestamps that stray further than this from the samples before them are a gap or an overlap. Ours: less is the
rounding of containers that count in milliseconds."""

_BACK_OFF_S = (0, 1, 4, 16, 64, 256)
"""Seeking is rough, and sound lies before or after its pictures in a file; each try aims this much earlier."""


@dataclass(frozen=True)
class Sound:
    """A piece of sound."""

    start: int
    """Samples at `RATE_HZ` since the container's time 0."""
    wave: Wave


class SoundLog:
    """How much of a stretch was read, and what of it was lost."""

    def __init__(self, stream: AudioStream) -> None:
        self.damage = DamageLog(TimeBase.of(stream.time_base or Fraction(1, RATE_HZ)))
        self.n_packets = 0
        self.n_lost = 0

    def lost(self, kind: str, pts: int | None) -> None:
        """Counts a packet that gave no sound, or an error of reading."""
        self.n_lost += 1
        self.damage.note(kind, pts)

    @property
    def lost_share(self) -> float:
        """Lost packets, of all, 0 to 1."""
        return self.n_lost / max(1, self.n_packets)


def main_audio_stream(container: InputContainer) -> AudioStream | None:
    """The stream that a player takes; the first with a decoder where that has none. None where there is none at all."""
    best = container.streams.best("audio")
    streams = ([best] if isinstance(best, AudioStream) else []) + list(container.streams.audio)
    return next((s for s in streams if s.codec_context is not None and s.codec_context.sample_rate), None)


def read_sound(container: InputContainer, stream: AudioStream, start: int, end: int, log: SoundLog) -> Iterator[Sound]:
    """The sound from sample `start` to sample `end`, in order of the file; it may reach a packet over either.

    Where timestamps leave a gap, no piece covers it. Packets that the decoder refuses leave one too, and are logged.

    Args:
        container: an open file; it is positioned anew.
        stream: its audio stream.
        start: samples at `RATE_HZ` since the container's time 0.
        end: the same.
        log: receives what was lost.
    """
    begins = stream.start_time * _base(stream) if stream.start_time is not None else None
    if begins is not None and begins * RATE_HZ >= end:
        return
    packets = _packets_from(container, stream, Fraction(start, RATE_HZ), log)
    yield from _resampled(_frames(packets, stream, Fraction(end, RATE_HZ), log), log)


def _base(stream: AudioStream) -> Fraction:
    return stream.time_base or Fraction(1, RATE_HZ)


def _packets_from(container: InputContainer, stream: AudioStream, start_s: Fraction, log: SoundLog) -> Iterator[Packet]:
    """Packets of sound from one that begins at or before `start_s`, or from the first of the file."""
    if start_s * av.time_base > (container.start_time or 0):
        for back_s in _BACK_OFF_S:
            head, packets = _landing(container, stream, start_s - back_s, log)
            if head is not None and head.pts is not None and head.pts * _base(stream) <= start_s:
                yield head
                yield from packets
                return
        # Forward from before everything: looking backward for a time before the first packet may find nothing.
        _seek(container, -(2**40), backward=False)
    yield from _demux(container, stream, log)


def _landing(
    container: InputContainer, stream: AudioStream, start_s: Fraction, log: SoundLog
) -> "tuple[Packet | None, Iterator[Packet]]":
    """The first packet of sound where reading comes to stand when it seeks to a time, and those after it."""
    if not _seek(container, int(start_s * av.time_base)):
        return None, iter(())
    packets = _demux(container, stream, log)
    return next(packets, None), packets


def _seek(container: InputContainer, time: int, *, backward: bool = True) -> bool:
    """Positions by the main stream, the pictures: many containers know no other places. `time` is in microseconds."""
    try:
        container.seek(time, backward=backward)
    except av.error.FFmpegError:
        return False
    return True


def _demux(container: InputContainer, stream: AudioStream, log: SoundLog) -> Iterator[Packet]:
    """All packets to the end of the file."""
    return read_packets(container, stream, lambda packet: packet.pts, lambda pts: log.lost(SOUND_READ_ERROR, pts))


def _frames(
    packets: Iterable[Packet], stream: AudioStream, end_s: Fraction, log: SoundLog
) -> Iterator[tuple[Fraction, av.AudioFrame]]:
    """Decoded frames with the second at which each begins; one without a time goes on from the frame before."""
    expected: Fraction | None = None
    for packet in packets:
        if packet.pts is not None and packet.pts * _base(stream) >= end_s:
            return
        log.n_packets += bool(packet.size)
        try:
            frames = stream.decode(packet)
        except av.error.EOFError:
            return
        except av.error.FFmpegError:
            log.lost(SOUND_LOST, packet.pts)
            continue
        for frame in frames:
            at = frame.pts * (frame.time_base or _base(stream)) if frame.pts is not None else expected
            # A damaged timestamp may lie years ahead.
            if at is not None and at < end_s and frame.samples and frame.sample_rate:
                yield at, frame
                expected = at + Fraction(frame.samples, frame.sample_rate)


def _resampled(frames: Iterable[tuple[Fraction, av.AudioFrame]], log: SoundLog) -> Iterator[Sound]:
    """Frames at `RATE_HZ` on one channel; at a gap, an overlap or another format the resampler begins anew."""
    run: _Run | None = None
    for at, frame in frames:
        if run is None or not run.is_continued_by(at, frame):
            if run is not None:
                yield from run.rest()
            run = _Run(at, frame)
        try:
            sounds = list(run.next(frame))
        except (av.error.FFmpegError, ValueError):
            # A layout or format that the resampler does not know.
            log.lost(SOUND_LOST, None)
            run = None
            continue
        yield from sounds
    if run is not None:
        yield from run.rest()


class _Run:
    """Sound without a gap, in one format."""

    def __init__(self, at: Fraction, frame: av.AudioFrame) -> None:
        self._resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE_HZ)
        self._format = _format_of(frame)
        self._expected = at
        self._place = round(at * RATE_HZ)

    def is_continued_by(self, at: Fraction, frame: av.AudioFrame) -> bool:
        """Whether the frame is of the run's format and begins where the run ends."""
        return _format_of(frame) == self._format and abs(at - self._expected) <= _JUMP_S

    def next(self, frame: av.AudioFrame) -> Iterator[Sound]:
        """What the resampler gives for the next frame."""
        self._expected += Fraction(frame.samples, frame.sample_rate)
        frame.pts = None  # places are counted here
        return self._placed(self._resampler.resample(frame))

    def rest(self) -> Iterator[Sound]:
        """What the resampler still holds."""
        return self._placed(self._resampler.resample(None))

    def _placed(self, frames: Iterable[av.AudioFrame]) -> Iterator[Sound]:
        for frame in frames:
            wave = np.asarray(frame.to_ndarray(), np.float32).reshape(-1)
            yield Sound(self._place, np.nan_to_num(wave))
            self._place += wave.size


def _format_of(frame: av.AudioFrame) -> tuple[str, str, int]:
    return frame.format.name, frame.layout.name, frame.sample_rate
