"""Sound with known truth, made on the spot: a voice that no recording is needed for, music, and files that hold them.

Here: waves and videos that carry them. Not here: pictures (`tests.corpus`), or expectations.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
from av.audio.stream import AudioStream
from av.packet import Packet
from numpy.typing import NDArray
from scipy.signal import lfilter, resample_poly

from tests.corpus import numbered_frames

Wave = NDArray[np.float32]
"""(S,) samples, -1 to 1."""

VOICE_RATE_HZ = 16_000
FPS = 10
_VOWELS_HZ = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480), (570, 840, 2410))
_BANDWIDTHS_HZ = (80, 100, 140)
_SYLLABLE_S = 0.2


def voice(duration_s: float, seed: int = 0, pitch_hz: float = 120.0) -> Wave:
    """Nonsense of a formant synthesiser at 16 kHz: pulses of the glottis through the resonances of five vowels.

    Syllables of a fifth of a second glide from one vowel to the next, some with a hiss between; pitch wavers. What
    detects speech takes it for a person.
    """
    random = np.random.default_rng(seed)
    times_s = np.arange(int(duration_s * VOICE_RATE_HZ)) / VOICE_RATE_HZ
    pitch = pitch_hz * (1 + 0.12 * np.sin(2 * np.pi * 0.7 * times_s) + 0.02 * np.sin(2 * np.pi * 5 * times_s))
    pulses = np.diff(np.floor(np.cumsum(pitch) / VOICE_RATE_HZ), prepend=0) > 0
    source = lfilter([1], np.polymul([1, -0.97], [1, -0.7]), pulses.astype(np.float64))
    spoken = random.integers(0, len(_VOWELS_HZ), size=int(duration_s / _SYLLABLE_S) + 3)
    wave = np.diff(_through_mouth(source, spoken), prepend=0)
    syllable = times_s / _SYLLABLE_S
    hisses = (syllable % 1 < 0.18) & (spoken[syllable.astype(int)] % 2 == 0)
    wave *= 0.25 + 0.75 * np.abs(np.sin(np.pi * syllable))
    wave = wave / np.abs(wave).max() * (1 - 0.8 * hisses)
    wave += 0.05 * hisses * np.diff(random.normal(size=times_s.size), prepend=0)
    return np.asarray(0.4 * wave / np.abs(wave).max(), np.float32)


def _through_mouth(source: NDArray[np.float64], spoken: NDArray[np.int64]) -> NDArray[np.float64]:
    """The source through three resonances, set anew every 5 ms."""
    wave, states, block = np.zeros_like(source), [np.zeros(2) for _ in _BANDWIDTHS_HZ], VOICE_RATE_HZ // 200
    for start in range(0, source.size, block):
        number, within = divmod(start / VOICE_RATE_HZ / _SYLLABLE_S, 1)
        share = float(np.clip(2 * within - 0.5, 0, 1))
        first, second = (np.array(_VOWELS_HZ[spoken[int(number) + step]]) for step in (0, 1))
        part = source[start : start + block]
        for index, (hz, width) in enumerate(zip((1 - share) * first + share * second, _BANDWIDTHS_HZ, strict=True)):
            radius = np.exp(-np.pi * width / VOICE_RATE_HZ)
            turn = 2 * radius * np.cos(2 * np.pi * hz / VOICE_RATE_HZ)
            poles = [1, -turn, radius**2]
            part, states[index] = lfilter([1 - turn + radius**2], poles, part, zi=states[index])
        wave[start : start + block] = part
    return wave


def music(duration_s: float) -> Wave:
    """Chords of pure tones that swell and fade, at 16 kHz."""
    times_s = np.arange(int(duration_s * VOICE_RATE_HZ)) / VOICE_RATE_HZ
    chords = ((220, 277, 330), (196, 247, 294), (262, 330, 392))
    number = (times_s / 1.5).astype(int) % len(chords)
    wave = sum(np.sin(2 * np.pi * np.choose(number, [chord[tone] for chord in chords]) * times_s) for tone in range(3))
    return np.asarray(0.05 * wave * np.sin(np.pi * times_s / 1.5) ** 2, np.float32)


def talk(duration_s: float, *spoken_s: tuple[float, float], with_music: bool = False) -> Wave:
    """Somebody speaks in the given stretches of a wave; otherwise there is faint noise, or music."""
    wave = 0.001 * np.random.default_rng(5).normal(size=int(duration_s * VOICE_RATE_HZ))
    wave = wave + (music(duration_s) if with_music else 0)
    for seed, (start_s, end_s) in enumerate(spoken_s):
        start, said = int(start_s * VOICE_RATE_HZ), voice(end_s - start_s, seed)
        wave[start : start + said.size] += said
    return np.asarray(wave, np.float32)


@dataclass(frozen=True)
class Track:
    """A track of sound in a file."""

    wave: Wave
    start_s: float = 0.0
    """Where the wave begins on the file's timeline."""
    gap_s: tuple[float, float] | None = None
    """Stretch of the wave that is not written; timestamps go on after it."""
    codec: str = "aac"
    rate_hz: int = 48_000
    layout: str = "mono"


def write_talk(path: Path, duration_s: float, track: Track | None, *, video_start_s: float = 0.0) -> Path:
    """A video of numbered frames, 10 a second with a keyframe each second, and its sound; returns the path."""
    options = {"avoid_negative_ts": "disabled"}
    with av.open(str(path), "w", options=options) as container:
        video = container.add_stream("libx264", FPS, {"preset": "ultrafast", "sc_threshold": "0"})
        video.width, video.height, video.pix_fmt, video.codec_context.gop_size = 160, 120, "yuv420p", FPS
        video.time_base = video.codec_context.time_base = Fraction(1, 1000)
        audio = None
        if track is not None:
            audio = cast("AudioStream", container.add_stream(track.codec, track.rate_hz, layout=track.layout))
        packets: list[Packet[Any]] = []
        for number, picture in enumerate(numbered_frames(int(duration_s * FPS))):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = round(1000 * (video_start_s + number / FPS)), Fraction(1, 1000)
            packets += video.encode(frame)
        packets += video.encode(None)
        if track is not None and audio is not None:
            for sound in _sounds(track):
                packets += audio.encode(sound)
            packets += audio.encode(None)
        for packet in sorted(packets, key=lambda p: (p.dts or 0) * (p.time_base or 0)):
            container.mux(packet)
    return path


def _sounds(track: Track) -> Iterator[av.AudioFrame]:
    """The track's wave in frames of 1024 samples."""
    wave = resample_poly(track.wave, track.rate_hz, VOICE_RATE_HZ).astype(np.float32)
    for start in range(0, wave.size - 1024, 1024):
        if track.gap_s and track.gap_s[0] <= start / track.rate_hz < track.gap_s[1]:
            continue
        channels = 2 if track.layout == "stereo" else 1
        samples = np.repeat(wave[None, start : start + 1024], channels, axis=0)
        sound = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout=track.layout)
        sound.sample_rate, sound.time_base = track.rate_hz, Fraction(1, track.rate_hz)
        sound.pts = start + round(track.start_s * track.rate_hz)
        yield sound
