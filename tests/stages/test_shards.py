"""Splits keep sources apart, shards fill in order, and a written shard reads back everywhere."""

import hashlib
import io
import json
import subprocess
import tarfile
from collections import Counter
from pathlib import Path

import av
import cv2
import datasets
import pytest
import webdataset
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.config import PlanConfig
from schemas.dataset import PackagedSample, ShardAssignment
from schemas.media import Clip
from schemas.time import Span, TimeBase
from stages.shards import ShardCandidate, ShardSample, assign_shards, split_of, write_shard
from tests.corpus import numbered_frames, textured_frame, write_video


def candidate(number: int, source: int, size_bytes: int) -> ShardCandidate:
    clip = Clip(
        clip_id=f"s{source}-000-{number:06d}",
        source_id=f"s{source}",
        slice_id=f"s{source}-000",
        uri=f"/videos/s{source}.mp4",
        name=f"s{source}.mp4",
        span=Span(start_pts=number * 10, end_pts=number * 10 + 10, time_base=TimeBase(numerator=1, denominator=25)),
        n_frames=10,
        shots=(),
        transitions=(),
    )
    return ShardCandidate(clip=clip, part=source % 4, n_labels=number % 5, estimated_size_bytes=size_bytes)


candidates = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 400)), max_size=60).map(
    lambda rows: [candidate(number, source, size_bytes) for number, (source, size_bytes) in enumerate(rows)]
)
configs = st.builds(
    PlanConfig,
    validation_fraction=st.sampled_from([0.0, 0.1, 0.3]),
    test_fraction=st.sampled_from([0.0, 0.2, 0.5]),
    seed=st.integers(0, 3),
    shard_size_bytes=st.integers(1, 1000),
    max_samples_per_shard=st.integers(1, 8),
)


def by_shard(assignments: list[ShardAssignment]) -> dict[str, list[str]]:
    shards: dict[str, list[str]] = {}
    for assignment in assignments:
        shards.setdefault(assignment.shard, []).append(assignment.clip.clip_id)
    return shards


@given(candidates, configs)
def test_every_clip_gets_exactly_one_place(given_: list[ShardCandidate], config: PlanConfig) -> None:
    assignments = assign_shards(given_, config)
    placed = {a.clip.clip_id: (a.clip, a.part, a.n_labels) for a in assignments}
    assert len(assignments) == len(placed)
    assert placed == {c.clip.clip_id: (c.clip, c.part, c.n_labels) for c in given_}
    for shard, clip_ids in by_shard(assignments).items():
        places = [a.position for a in assignments if a.shard == shard]
        assert places == list(range(len(clip_ids)))
        assert shard.startswith(tuple(a.split for a in assignments if a.shard == shard))


@given(candidates, configs)
def test_shards_keep_their_limits_and_are_numbered_without_gaps(
    given_: list[ShardCandidate], config: PlanConfig
) -> None:
    assignments = assign_shards(given_, config)
    sizes = {c.clip.clip_id: c.estimated_size_bytes for c in given_}
    for clip_ids in by_shard(assignments).values():
        assert len(clip_ids) <= config.max_samples_per_shard
        assert len(clip_ids) == 1 or sum(sizes[clip_id] for clip_id in clip_ids) <= config.shard_size_bytes
    for split in {a.split for a in assignments}:
        names = list(dict.fromkeys(a.shard for a in assignments if a.split == split))
        assert names == [f"{split}-{number:06d}" for number in range(len(names))]


@given(candidates, configs)
def test_no_source_lies_in_two_splits(given_: list[ShardCandidate], config: PlanConfig) -> None:
    splits: dict[str, set[str]] = {}
    for assignment in assign_shards(given_, config):
        splits.setdefault(assignment.clip.source_id, set()).add(assignment.split)
    assert all(len(known) == 1 for known in splits.values())


@given(candidates, configs)
def test_a_source_keeps_its_split_whatever_else_there_is(given_: list[ShardCandidate], config: PlanConfig) -> None:
    kept = given_[::2]
    before = {a.clip.source_id: a.split for a in assign_shards(given_, config)}
    after = {a.clip.source_id: a.split for a in assign_shards(kept[::-1], config)}
    assert after.items() <= before.items()


@given(candidates, candidates, configs)
def test_appending_changes_no_closed_shard(
    given_: list[ShardCandidate], more: list[ShardCandidate], config: PlanConfig
) -> None:
    before, after = (by_shard(assign_shards(clips, config)) for clips in (given_, [*given_, *more]))
    assert list(after)[: len(before)] == list(before)
    open_ = {max(shard for shard in before if shard.startswith(split)) for split in {s[:-7] for s in before}}
    for shard in before.keys() - open_:
        assert after[shard] == before[shard]
    for shard in open_:
        assert set(before[shard]) <= set(after[shard])


@given(candidates, configs)
def test_the_most_labelled_lead_each_shard_and_the_others_keep_their_order(
    given_: list[ShardCandidate], config: PlanConfig
) -> None:
    order = {c.clip.clip_id: number for number, c in enumerate(given_)}
    shards: dict[str, list[ShardAssignment]] = {}
    for assignment in assign_shards(given_, config):
        shards.setdefault(assignment.shard, []).append(assignment)
    for members in shards.values():
        labels = [member.n_labels for member in members]
        assert labels[:5] == sorted(labels, reverse=True)[:5]
        rest = [order[member.clip.clip_id] for member in members[5:]]
        assert rest == sorted(rest)


def test_splits_have_about_the_size_asked_for() -> None:
    config = PlanConfig(validation_fraction=0.1, test_fraction=0.2, seed=7)
    counts = Counter(split_of(f"video-{number}", config) for number in range(20_000))
    assert counts["validation"] / 20_000 == pytest.approx(0.1, abs=0.01)
    assert counts["test"] / 20_000 == pytest.approx(0.2, abs=0.01)
    other = PlanConfig(validation_fraction=0.1, test_fraction=0.2, seed=8)
    assert any(split_of(f"video-{n}", config) != split_of(f"video-{n}", other) for n in range(100))


def test_without_fractions_everything_is_for_training() -> None:
    config = PlanConfig(validation_fraction=0, test_fraction=0)
    assert {split_of(f"video-{number}", config) for number in range(500)} == {"train"}


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[ShardSample]:
    folder = tmp_path_factory.mktemp("clips")
    config = PlanConfig(validation_fraction=0, test_fraction=0)
    made = []
    for number, assignment in enumerate(assign_shards([candidate(n, n, 1000) for n in range(4)], config)):
        video = write_video(folder / f"{number}.mp4", numbered_frames(10, seed=number))
        jpegs = tuple(cv2.imencode(".jpg", textured_frame(n, 48, 64))[1].tobytes() for n in range(1 + number % 3))
        text = json.dumps({"clip_id": assignment.clip.clip_id, "title": "Grün und schön", "n": number})
        made.append(ShardSample(assignment, video, text.encode(), jpegs, n_frames=10, is_stream_copy=number % 2 == 0))
    return made


@pytest.fixture(scope="module")
def shard(samples: list[ShardSample], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[PackagedSample]]:
    path = tmp_path_factory.mktemp("shards") / "train-000000.tar"
    return path, write_shard(path, iter(samples))


def test_the_index_points_at_the_bytes(samples: list[ShardSample], shard: tuple[Path, list[PackagedSample]]) -> None:
    path, rows = shard
    content = path.read_bytes()
    assert [row.clip_id for row in rows] == [sample.assignment.clip.clip_id for sample in samples]
    for row, sample in zip(rows, samples, strict=True):
        video = content[row.video_offset : row.video_offset + row.video_size_bytes]
        text = content[row.json_offset : row.json_offset + row.json_size_bytes]
        assert video == sample.video.read_bytes()
        assert text == sample.json
        assert hashlib.sha256(video).hexdigest() == row.video_sha256
        assert hashlib.sha256(text).hexdigest() == row.json_sha256
        assert row.n_bytes == len(video) + len(text) + sum(map(len, sample.jpegs))
        assert (row.n_frames, row.is_stream_copy) == (sample.n_frames, sample.is_stream_copy)
        assert (row.shard, row.split, row.span) == ("train-000000", "train", sample.assignment.clip.span)
        with av.open(io.BytesIO(video), "r") as container:
            assert len(list(container.decode(video=0))) == row.n_frames


def test_members_of_a_sample_stand_together(
    samples: list[ShardSample], shard: tuple[Path, list[PackagedSample]]
) -> None:
    with tarfile.open(shard[0]) as tar:
        members = tar.getmembers()
    expected = [
        f"{sample.assignment.clip.clip_id}.{ending}"
        for sample in samples
        for ending in ("mp4", "json", *(f"{n:02d}.jpg" for n in range(len(sample.jpegs))))
    ]
    assert [member.name for member in members] == expected
    assert {(m.mtime, m.mode, m.uid, m.gid, m.isreg()) for m in members} == {(0, 0o644, 0, 0, True)}


def test_the_same_samples_give_the_same_bytes(
    samples: list[ShardSample], shard: tuple[Path, list[PackagedSample]], tmp_path: Path
) -> None:
    again = tmp_path / "elsewhere.tar"
    assert write_shard(again, samples) == shard[1]
    assert again.read_bytes() == shard[0].read_bytes()


def test_plain_tar_unpacks_it(
    samples: list[ShardSample], shard: tuple[Path, list[PackagedSample]], tmp_path: Path
) -> None:
    subprocess.run(["tar", "xf", str(shard[0]), "-C", str(tmp_path)], check=True)
    for sample in samples:
        key = sample.assignment.clip.clip_id
        assert (tmp_path / f"{key}.mp4").read_bytes() == sample.video.read_bytes()
        assert json.loads((tmp_path / f"{key}.json").read_text("utf-8"))["clip_id"] == key


def test_webdataset_reads_it(samples: list[ShardSample], shard: tuple[Path, list[PackagedSample]]) -> None:
    read = list(webdataset.WebDataset(str(shard[0]), shardshuffle=False, empty_check=False))
    assert [sample["__key__"] for sample in read] == [sample.assignment.clip.clip_id for sample in samples]
    assert [sample["mp4"] for sample in read] == [sample.video.read_bytes() for sample in samples]
    assert [sample["json"] for sample in read] == [sample.json for sample in samples]
    assert read[2]["02.jpg"] == samples[2].jpegs[2]


def test_huggingface_datasets_reads_it_though_clips_differ_in_keyframes(
    samples: list[ShardSample], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    path = tmp_path / "train-000000.tar"
    write_shard(path, samples, n_pictures=3)
    read = datasets.load_dataset(
        "webdataset", data_files={"train": str(path)}, split="train", cache_dir=str(tmp_path / "cache")
    )
    assert read.column_names == ["mp4", "json", "00.jpg", "01.jpg", "02.jpg", "__key__", "__url__"]
    assert read["__key__"] == [sample.assignment.clip.clip_id for sample in samples]
    assert [row["title"] for row in read["json"]] == ["Grün und schön"] * len(samples)
    assert {picture.size for picture in read["02.jpg"]} == {(64, 48)}
    videos = read.cast_column("mp4", datasets.Video(decode=False))["mp4"]
    assert [video["bytes"] for video in videos] == [sample.video.read_bytes() for sample in samples]


def test_a_short_row_of_pictures_is_filled_with_its_last(samples: list[ShardSample], tmp_path: Path) -> None:
    (row,) = write_shard(tmp_path / "train-000000.tar", samples[1:2], n_pictures=4)
    with tarfile.open(tmp_path / "train-000000.tar") as tar:
        jpegs = [file.read() for member in tar if member.name.endswith("jpg") and (file := tar.extractfile(member))]
    assert jpegs == [*samples[1].jpegs, *[samples[1].jpegs[-1]] * 2]
    assert row.n_bytes == row.video_size_bytes + row.json_size_bytes + sum(map(len, jpegs))


def test_more_pictures_than_columns_are_refused(samples: list[ShardSample], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="3 pictures where 2 are due"):
        write_shard(tmp_path / "train-000000.tar", samples, n_pictures=2)


def renamed(sample: ShardSample, clip_id: str) -> ShardSample:
    assignment = sample.assignment.replace(clip=sample.assignment.clip.replace(clip_id=clip_id))
    return ShardSample(assignment, sample.video, sample.json, sample.jpegs, sample.n_frames, sample.is_stream_copy)


def test_samples_out_of_place_are_refused(samples: list[ShardSample], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="place 0 of train-000000 cannot follow place 1 of train-000000"):
        write_shard(tmp_path / "train-000000.tar", [samples[1], samples[0]])
    assert not (tmp_path / "train-000000.tar").exists()


def test_a_missing_sample_leaves_the_others_where_they_are(samples: list[ShardSample], tmp_path: Path) -> None:
    rows = write_shard(tmp_path / "train-000000.tar", [samples[0], samples[2]])
    assert [row.clip_id for row in rows] == [samples[i].assignment.clip.clip_id for i in (0, 2)]


@pytest.mark.parametrize("key", ["", "a.b", "../a", "a/b", "a\nb", "x" * 91])
def test_ids_that_would_break_the_tar_are_refused(samples: list[ShardSample], tmp_path: Path, key: str) -> None:
    with pytest.raises(ValueError, match="cannot be the key"):
        write_shard(tmp_path / "train-000000.tar", [renamed(samples[0], key)])


@settings(max_examples=20, deadline=None)
@given(texts=st.lists(st.binary(max_size=2000), min_size=1, max_size=4))
def test_any_bytes_survive(
    samples: list[ShardSample], tmp_path_factory: pytest.TempPathFactory, texts: list[bytes]
) -> None:
    path = tmp_path_factory.mktemp("any") / "train-000000.tar"
    chosen = [
        ShardSample(sample.assignment, sample.video, text, (text,), 10, is_stream_copy=True)
        for sample, text in zip(samples, texts, strict=False)
    ]
    write_shard(path, chosen)
    with tarfile.open(path) as tar:
        found = {member.name: file.read() for member in tar if (file := tar.extractfile(member))}
    for sample, text in zip(chosen, texts, strict=False):
        assert found[f"{sample.assignment.clip.clip_id}.json"] == text
        assert found[f"{sample.assignment.clip.clip_id}.00.jpg"] == text
