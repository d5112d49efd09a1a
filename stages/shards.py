"""Splits and shards: which clip goes where, and the tar files that hold the samples.

Here: assigning clips to splits and shards, and writing one shard as a WebDataset tar with the rows of its index.
Not here: cutting clips (`stages.cutting.cut`), or what a sample's JSON says and the Parquet index itself (`pipeline`).
"""

import hashlib
import io
import tarfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from schemas.config import PlanConfig
from schemas.dataset import DatasetSplit, PackagedSample, ShardAssignment
from schemas.media import Clip

_GUESSED_FROM = 5
"""Samples that `datasets` looks at."""

_HASH_BITS = 64

_MAX_PICTURES = 100
"""Their names have two digits."""


@dataclass(frozen=True)
class ShardCandidate:
    """A clip that is to be packaged."""

    clip: Clip
    part: int
    """The part whose cells describe and label the clip."""
    n_labels: int
    estimated_size_bytes: int
    """What the sample is expected to take in the shard."""


@dataclass(frozen=True)
class ShardSample:
    """Everything that one sample of a shard is made of."""

    assignment: ShardAssignment
    video: Path
    """The clip's mp4, read while the shard is written."""
    json: bytes
    """The sample's record, UTF-8 encoded JSON."""
    jpegs: tuple[bytes, ...]
    """Keyframes, in order; at most 100."""
    n_frames: int
    """Frames in the mp4."""
    is_stream_copy: bool


def split_of(source_id: str, config: PlanConfig) -> DatasetSplit:
    """The split that all clips of a source belong to, from a seeded hash of its id and nothing else.

    The splits stack from zero: validation, test, train. Another source more or less changes nothing.
    """
    digest = hashlib.sha256(f"{config.seed}:{source_id}".encode()).digest()
    place = int.from_bytes(digest[: _HASH_BITS // 8], "big") / 2**_HASH_BITS
    if place < config.validation_fraction:
        return "validation"
    return "test" if place < config.validation_fraction + config.test_fraction else "train"


def assign_shards(candidates: Sequence[ShardCandidate], config: PlanConfig) -> list[ShardAssignment]:
    """Give each clip its split, shard and place: in the order given, but for the richest that lead each shard.

    Each split's shards fill up one after the other: a shard is closed when the next clip would exceed
    `config.shard_size_bytes` or `config.max_samples_per_shard`. Candidates appended later therefore never change a
    closed shard. A clip that is larger than a shard gets one for itself.
    """
    filling: dict[DatasetSplit, _Filling] = {}
    shards: dict[str, list[ShardAssignment]] = {}
    for candidate in candidates:
        split = split_of(candidate.clip.source_id, config)
        assignment = filling.setdefault(split, _Filling(split)).place(candidate, config)
        shards.setdefault(assignment.shard, []).append(assignment)
    return [placed for members in shards.values() for placed in _richest_first(members)]


def _richest_first(members: Sequence[ShardAssignment]) -> list[ShardAssignment]:
    """A shard's clips with the most labelled ones in front, the others in their order.

    Readers that guess the columns from the first samples (`datasets`, without the card) then see every part of a label.
    """
    lead = sorted(members, key=lambda member: -member.n_labels)[:_GUESSED_FROM]
    front = {member.clip.clip_id for member in lead}
    ordered = lead + [member for member in members if member.clip.clip_id not in front]
    return [member.replace(position=position) for position, member in enumerate(ordered)]


@dataclass
class _Filling:
    """The shard of a split that is being filled."""

    split: DatasetSplit
    number: int = 0
    size_bytes: int = 0
    n_samples: int = 0

    def place(self, candidate: ShardCandidate, config: PlanConfig) -> ShardAssignment:
        is_too_large = self.size_bytes + candidate.estimated_size_bytes > config.shard_size_bytes
        if self.n_samples and (is_too_large or self.n_samples >= config.max_samples_per_shard):
            self.number, self.size_bytes, self.n_samples = self.number + 1, 0, 0
        assignment = ShardAssignment(
            clip=candidate.clip,
            part=candidate.part,
            split=self.split,
            shard=f"{self.split}-{self.number:06d}",
            position=self.n_samples,
            n_labels=candidate.n_labels,
        )
        self.size_bytes += candidate.estimated_size_bytes
        self.n_samples += 1
        return assignment


def write_shard(path: Path, samples: Iterable[ShardSample], n_pictures: int | None = None) -> list[PackagedSample]:
    """Write one shard as a WebDataset tar, and return the rows of its index in the same order.

    Members of a sample stand together: `<clip_id>.mp4`, `<clip_id>.json`, `<clip_id>.00.jpg` … The same samples give
    the same bytes: times, owners and modes are fixed. One sample at a time is read, in blocks.

    Args:
        path: the tar to write; replaced where it exists, absent after an error.
        samples: of one shard, in the order of their positions. Positions may be missing: a clip that could not be cut
            leaves the others where they are.
        n_pictures: how many pictures every sample is given, by repeating its last one; the sample's JSON tells how many
            it has. `datasets` takes its columns from the first samples of the first shard and refuses to read a data
            set whose samples differ in them: give the largest number that any sample of the data set may have. None
            writes the pictures as they are.

    Raises:
        ValueError: samples of two shards or out of order, a clip id that is no sample key, more than 100 pictures
            or more than `n_pictures`, none to repeat.
        OSError: a video cannot be read, or the tar not be written.
    """
    rows: list[PackagedSample] = []
    last: ShardAssignment | None = None
    try:
        with path.open("wb") as file, tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            for sample in samples:
                _check(sample, last)
                rows.append(_write_sample(tar, sample, _pictures(sample, n_pictures)))
                last = sample.assignment
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return rows


def _check(sample: ShardSample, last: ShardAssignment | None) -> None:
    assignment = sample.assignment
    key = assignment.clip.clip_id
    if last and (assignment.shard != last.shard or assignment.position <= last.position):
        place, before = (f"place {a.position} of {a.shard}" for a in (assignment, last))
        raise ValueError(f"{key}: {place} cannot follow {before}")
    if not key or set(key) & set("./\\") or not key.isprintable() or len(key.encode()) > 90:
        # Readers split a member's name at its first dot, and a tar header holds 100 bytes.
        raise ValueError(f"{key!r} cannot be the key of a sample")


def _pictures(sample: ShardSample, wanted: int | None) -> Sequence[bytes]:
    given = len(sample.jpegs)
    most = min(_MAX_PICTURES, wanted if wanted is not None else given)
    if given > most or (wanted and not given):
        raise ValueError(f"{sample.assignment.clip.clip_id}: {given} pictures where {wanted or _MAX_PICTURES} are due")
    return sample.jpegs + sample.jpegs[-1:] * (most - given)


def _write_sample(tar: tarfile.TarFile, sample: ShardSample, jpegs: Sequence[bytes]) -> PackagedSample:
    assignment, clip = sample.assignment, sample.assignment.clip
    with sample.video.open("rb") as video:
        size_bytes = sample.video.stat().st_size
        video_member = _add(tar, f"{clip.clip_id}.mp4", video, size_bytes)
    json_member = _add(tar, f"{clip.clip_id}.json", io.BytesIO(sample.json), len(sample.json))
    pictures = [
        _add(tar, f"{clip.clip_id}.{number:02d}.jpg", io.BytesIO(jpeg), len(jpeg)) for number, jpeg in enumerate(jpegs)
    ]
    return PackagedSample(
        sample_key=clip.clip_id,
        clip_id=clip.clip_id,
        source_id=clip.source_id,
        source_name=clip.name,
        split=assignment.split,
        shard=assignment.shard,
        span=clip.span,
        n_frames=sample.n_frames,
        n_labels=assignment.n_labels,
        n_bytes=sum(member.size_bytes for member in (video_member, json_member, *pictures)),
        video_offset=video_member.offset,
        video_size_bytes=video_member.size_bytes,
        video_sha256=video_member.sha256,
        json_offset=json_member.offset,
        json_size_bytes=json_member.size_bytes,
        json_sha256=json_member.sha256,
        is_stream_copy=sample.is_stream_copy,
    )


@dataclass(frozen=True)
class _Member:
    """Where a member's data lies in the tar."""

    offset: int
    size_bytes: int
    sha256: str


def _add(tar: tarfile.TarFile, name: str, data: BinaryIO, size_bytes: int) -> _Member:
    """Append one member. Raises OSError where `data` ends before `size_bytes`."""
    header = tarfile.TarInfo(name)
    header.size, header.mtime, header.mode = size_bytes, 0, 0o644
    header.uid = header.gid = 0
    header.uname = header.gname = "root"
    hashed = _Hashed(data)
    offset = tar.offset + tarfile.BLOCKSIZE
    tar.addfile(header, hashed)
    return _Member(offset=offset, size_bytes=size_bytes, sha256=hashed.digest.hexdigest())


class _Hashed(io.RawIOBase):
    """Hashes what is read through it, so that a video is read once."""

    def __init__(self, data: BinaryIO) -> None:
        self.data, self.digest = data, hashlib.sha256()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        block = self.data.read(size)
        self.digest.update(block)
        return block
