import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from moto.server import ThreadedMotoServer
from s3fs import S3FileSystem

from annotators.budget import Tally
from annotators.chat import Reply
from annotators.replies import Replies
from pipeline.store import Store


def reply(number: int = 0, **changes: Any) -> Reply:
    values: dict[str, Any] = {
        "key": sha256(str(number).encode()).hexdigest(), "annotator": "caption", "endpoint": "default", "model": "m",
        "outcome": "success", "text": '{"text": "Grüße"}', "finish_reason": "stop", "input_tokens": 100,
        "output_tokens": 20, "cost_usd": 0.25, "latency_s": 1.5, "attempts": 1, "received_at": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    return Reply(**(values | changes))


@pytest.fixture(params=["local", "memory", "s3"], scope="module")
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A folder on this machine, an object store in memory, and a bucket behind a real S3 protocol."""
    if request.param == "local":
        yield str(tmp_path_factory.mktemp("replies"))
    elif request.param == "memory":
        yield "memory://replies"
    else:
        with _bucket() as uri:
            yield uri


@contextmanager
def _bucket() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        S3FileSystem.clear_instance_cache()  # others may have been made for another server
        S3FileSystem().mkdir("kept")
        yield "s3://kept"
        S3FileSystem.clear_instance_cache()
    server.stop()


@pytest.fixture
def store(place: str, request: pytest.FixtureRequest) -> Store:
    """An empty folder there."""
    return Store(f"{place}/{request.node.name.split('[')[0]}")


def test_a_reply_comes_back_as_it_was(store: Store) -> None:
    replies = Replies(store)
    assert replies.get(reply().key) is None
    replies.put(reply())
    assert replies.get(reply().key) == reply()
    assert Replies(Store(store.uri)).get(reply().key) == reply()


def test_an_older_reply_stays_beside_the_new_one(store: Store) -> None:
    replies = Replies(store)
    replies.put(reply(received_at="first"))
    replies.put(reply(received_at="second"))
    assert replies.get(reply().key) == reply(received_at="second")
    assert sorted(kept.received_at for kept in replies) == ["first", "second"]
    assert replies.tallies()["caption"].cost_usd == 0.5


def test_what_was_spent_is_added_up_by_annotator(store: Store) -> None:
    replies = Replies(store)
    for number in range(30):
        replies.put(reply(number, annotator="caption" if number % 3 else "qa", reasoning_tokens=5))
    tallies = replies.tallies()
    assert tallies["qa"] == Tally(requests=10, input_tokens=1000, output_tokens=200, reasoning_tokens=50, cost_usd=2.5)
    assert tallies["caption"].requests == 20
    assert sum(1 for _ in replies) == 30


def test_no_replies_are_nothing_spent(tmp_path: Path) -> None:
    assert Replies(Store(str(tmp_path))).tallies() == {}


def test_a_person_can_read_the_file(tmp_path: Path) -> None:
    Replies(Store(str(tmp_path))).put(reply())
    key = reply().key
    text = (tmp_path / "replies" / key[:2] / f"{key}.json").read_text()
    assert "Grüße" in text
    assert text.count("\n") > 10
    assert json.loads(text)["annotator"] == "caption"


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"\xff\xfe", b"[]", b'{"key": 1}',
        reply().model_dump_json().encode()[:-30],
        reply(7).model_dump_json().encode(),
    ],
)  # fmt: skip
def test_a_file_that_is_no_reply_counts_as_absent(tmp_path: Path, content: bytes) -> None:
    replies = Replies(Store(str(tmp_path)))
    key = reply().key
    path = tmp_path / "replies" / key[:2] / f"{key}.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    assert replies.get(key) is None
    replies.put(reply())
    assert replies.get(key) == reply()


def test_leftovers_of_a_crash_are_neither_read_nor_counted(tmp_path: Path) -> None:
    replies = Replies(Store(str(tmp_path)))
    replies.put(reply())
    folder = tmp_path / "replies" / reply().key[:2]
    (folder / ".writing-abc").mkdir()
    (folder / ".writing-abc" / "half.json").write_text("{")
    assert replies.tallies()["caption"].requests == 1


def test_a_crash_between_its_two_writes_counts_a_reply_once(tmp_path: Path) -> None:
    replies = Replies(Store(str(tmp_path)))
    replies.put(reply())
    folder = tmp_path / "replies" / reply().key[:2]
    (folder / f"{reply().key}.0123abcd.json").write_text(reply().model_dump_json())
    assert replies.tallies()["caption"].requests == 1


def test_several_threads_may_write_at_once(tmp_path: Path) -> None:
    replies = Replies(Store(str(tmp_path)))
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: replies.put(reply(number % 40)), range(160)))
    assert all(replies.get(reply(number).key) == reply(number) for number in range(40))
