"""Videos and runs may live in a bucket: a real S3 protocol, served on this machine."""

import os
from collections.abc import Iterator
from pathlib import Path

import fsspec
import numpy as np
import pytest
from moto.server import ThreadedMotoServer

from pipeline.attempt import Unit
from pipeline.shard_cells import SourceOnHand
from schemas.verdict import Failure, Result
from tests.corpus import textured_frame, write_video
from tests.product import reelproof


@pytest.fixture(scope="module")
def bucket() -> Iterator[dict[str, str]]:
    """An empty bucket `videos`; the environment that reaches it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    reached = {
        "FSSPEC_S3_ENDPOINT_URL": f"http://{host}:{port}",
        "FSSPEC_S3_KEY": "test",
        "FSSPEC_S3_SECRET": "test",
    }
    yield {**os.environ, **reached}
    server.stop()


def test_a_source_is_fetched_once_for_all_its_clips() -> None:
    memory = fsspec.filesystem("memory")
    for name in ("a", "b"):
        memory.pipe_file(f"/fetch/{name}.mp4", name.encode())
    with SourceOnHand() as source:
        paths = [source.fetch(Unit(uri, uri, uri), uri) for uri in ("memory://fetch/a.mp4", "memory://fetch/a.mp4")]
        first, again = (found.value.path for found in paths if isinstance(found, Result))  # type: ignore[attr-defined]
        assert first == again
        assert Path(first).read_bytes() == b"a"
        gone = source.fetch(Unit("c", "c.mp4", ""), "memory://fetch/c.mp4")
        assert isinstance(gone, Failure)
        assert gone.unit_id == "c"
        other = source.fetch(Unit("b", "b.mp4", ""), "memory://fetch/b.mp4")
        assert isinstance(other, Result)
        assert not Path(first).exists()


def test_a_run_reads_from_a_bucket_and_writes_to_one(bucket: dict[str, str], tmp_path: Path) -> None:
    frames = [np.roll(textured_frame(3, 108, 192), 2 * index, axis=1) for index in range(75)]
    video = write_video(tmp_path / "a.mp4", frames, fps=25)
    remote = fsspec.filesystem("s3", endpoint_url=bucket["FSSPEC_S3_ENDPOINT_URL"], key="test", secret="test")  # noqa: S106 - the server of this test
    remote.mkdir("videos")
    remote.put_file(str(video), "videos/in/a.mp4")
    arguments = ("run", "--input", "s3://videos/in", "--output", "s3://videos/out", "--runner", "local")
    for _ in range(2):
        finished = reelproof(*arguments, env=bucket)
        assert finished.returncode == 0, finished.stderr
        assert "s3://videos/out/README.md" in finished.stdout
    remote.invalidate_cache()
    assert remote.size("videos/out/shards/train-000000.tar") > 10_000 or remote.glob("videos/out/shards/*.tar")
    assert len(remote.ls("videos/out/tables/scan")) == 1
    assert not Path("s3:").exists()
    assert reelproof("status", "s3://videos/out", env=bucket).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("run", "--input", "s3://videos/in", "--output", "{folder}"), "reelproof: input 's3://videos/in' cannot be"),
        (("run", "--input", "{folder}", "--output", "s3://videos/out"), "reelproof: 's3://videos/out' cannot be"),
        (("status", "s3://videos/out"), "reelproof: 's3://videos/out' cannot be"),
    ],
)
def test_a_bucket_that_does_not_answer_is_told_in_one_line(
    arguments: tuple[str, ...], told: str, bucket: dict[str, str], tmp_path: Path
) -> None:
    nobody = bucket | {"FSSPEC_S3_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}
    finished = reelproof(*(text.format(folder=tmp_path) for text in arguments), env=nobody)
    assert finished.returncode == 2
    assert finished.stderr.startswith(told)
    assert finished.stderr.count("\n") == 1
    assert "http://127.0.0.1:9" in finished.stderr
