"""Where somebody speaks: the sound of a slice, heard once by Silero VAD, and the spans that come of it.

Here: feeding the network and turning its probabilities into spans. Not here: decoding sound (`stages.speech.sound`),
the network (`stages.speech.voice`).

Sound is heard in sections on a fixed clock, each after a lead that only sets the network's state. So what is heard at
a time does not depend on where its slice begins, and sections go through the network side by side, which costs a third
of hearing one after the other. Sections, lead and margins are ours.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from schemas.config import ScanConfig
from schemas.media import Slice
from schemas.time import Span
from stages.errors import MediaError
from stages.media.complaints import decoder_messages
from stages.media.demux import open_media
from stages.spans import pieces
from stages.speech.sound import RATE_HZ, Sound, SoundLog, main_audio_stream, read_sound
from stages.speech.voice import WINDOW, Voice

SECTION = 250 * WINDOW
"""Samples of a section: 8 s."""
LEAD = 64 * WINDOW
"""Samples heard before a section: about 2 s."""
SECTIONS_AT_ONCE = 16
"""Sections side by side. Bounds what is kept of a sound to 8 MB."""
MARGIN_S = 1.0
"""Sound heard on each side of a slice, beyond the shortest speech and silence: what they decide is decided alike."""
MAX_LOST_SHARE = 0.05
"""Share of packets without sound up to which speech counts as measured."""


@dataclass(frozen=True)
class Speech:
    """What was heard in a slice."""

    spans: tuple[Span, ...] = ()
    """In order, apart from each other, on the video stream's time base."""
    is_measured: bool = False
    problems: tuple[str, ...] = ()


def find_speech(path: Path, slice_: Slice, config: ScanConfig, voice: Voice) -> Speech:
    """The spans of a slice in which somebody speaks.

    A file without a sound track is measured: nobody speaks in it. A track that cannot be read, or of which more than
    `MAX_LOST_SHARE` cannot be decoded, is not measured; what went wrong is told in `problems` and never raised.
    """
    try:
        # What an audio decoder says after a seek is no damage; what it refuses is counted.
        with open_media(path, slice_.name) as container, decoder_messages([]):
            stream = main_audio_stream(container)
            if stream is None:
                return _without_sound(bool(container.streams.audio))
            # Stretches are what runs side by side; a decoder's own threads would also speak in other threads' names.
            stream.codec_context.thread_count = 1
            log = SoundLog(stream)
            first, end = _reach(slice_.span, config)
            sound = read_sound(container, stream, first - LEAD, end, log)
            probabilities = np.concatenate([*_heard(sound, first, voice), np.zeros(0, np.float32)])
    except MediaError as error:
        return Speech(problems=(f"the sound cannot be read ({error})",))
    except av.error.FFmpegError as error:
        # Its whole message would name the folder.
        return Speech(problems=(f"the sound cannot be read ({error.strerror})",))
    probabilities = probabilities[: -(-(end - first) // WINDOW)]
    problems = tuple(log.damage.sentences())
    if log.lost_share > MAX_LOST_SHARE:
        return Speech(problems=(*problems, "too little of the sound can be decoded to say where somebody speaks"))
    return Speech(tuple(_spans(probabilities, first, slice_.span, config)), is_measured=True, problems=problems)


def _without_sound(has_track: bool) -> Speech:
    return Speech(problems=("its sound is of an unknown codec",)) if has_track else Speech(is_measured=True)


def _reach(span: Span, config: ScanConfig) -> tuple[int, int]:
    """Sample of the section at which hearing a slice begins, and the sample at which it ends."""
    margin_s = Fraction(MARGIN_S + config.min_speech_s + config.min_silence_s)
    base = span.time_base.fraction
    first = int((span.start_pts * base - margin_s) * RATE_HZ // SECTION) * SECTION
    return first, int((span.end_pts * base + margin_s) * RATE_HZ)


def _heard(sound: Iterable[Sound], first: int, voice: Voice) -> Iterator[NDArray[np.float32]]:
    """Probabilities of the windows from sample `first` on, shape (N,), up to the section in which the sound ends."""
    tape, start = np.zeros(LEAD + SECTIONS_AT_ONCE * SECTION, np.float32), first - LEAD
    filled = 0
    for piece in sound:
        at, wave = piece.start, piece.wave
        while at + wave.size > start:
            wave, at = wave[max(0, start - at) :], max(at, start)
            part = wave[: max(0, start + tape.size - at)]
            tape[at - start : at - start + part.size] = part
            filled = max(filled, at - start + part.size if part.size else 0)
            wave, at = wave[part.size :], at + part.size
            if not wave.size:
                break
            yield _listen(tape, SECTIONS_AT_ONCE, voice)
            # The next sections' lead; what timestamps leave out stays silent.
            tape[:LEAD], tape[LEAD:] = tape[-LEAD:].copy(), 0
            start, filled = start + tape.size - LEAD, LEAD
    yield _listen(tape, -(-max(0, filled - LEAD) // SECTION), voice)


def _listen(tape: NDArray[np.float32], count: int, voice: Voice) -> NDArray[np.float32]:
    """Probabilities of the first sections on the tape, shape (count * SECTION // WINDOW,). Nobody speaks in silence."""
    found = np.zeros((count, SECTION // WINDOW), np.float32)
    sections = [tape[number * SECTION :][: LEAD + SECTION] for number in range(count)]
    audible = [number for number, section in enumerate(sections) if section.any()]
    if audible:
        waves = np.stack([sections[number] for number in audible])
        found[audible] = voice.probabilities(waves)[:, LEAD // WINDOW :]
    return found.reshape(-1)


def _spans(probabilities: NDArray[np.float32], first: int, inside: Span, config: ScanConfig) -> tuple[Span, ...]:
    """Speech by the package's own rule: begins above the threshold, ends in a silence that is long enough."""
    from silero_vad.utils_vad import get_speech_timestamps_from_probs

    found = get_speech_timestamps_from_probs(
        probabilities.tolist(),
        sampling_rate=RATE_HZ,
        threshold=config.speech_threshold,
        min_speech_duration_ms=round(1000 * config.min_speech_s),
        min_silence_duration_ms=round(1000 * config.min_silence_s),
    )
    base = inside.time_base.fraction

    def pts(sample: int) -> int:
        return round(Fraction(first + sample, RATE_HZ) / base)

    return pieces((inside.replace(start_pts=pts(s["start"]), end_pts=pts(s["end"])) for s in found), inside)
