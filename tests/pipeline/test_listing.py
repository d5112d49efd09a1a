"""Inputs of every shape are found, once each; pages never shift when inputs are added."""

from pathlib import Path

import pytest

from pipeline.listing import ListingError, find_sources, source_id, update_listing
from pipeline.store import Store
from pipeline.tables import read_row
from schemas.media import ListedSource


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    return folder


def pages(store: Store) -> list[list[str]]:
    return [[source.name for source in read_row(store, "listing", row, ListedSource)] for row in store.rows("listing")]


def test_a_folder_is_searched_to_the_bottom_and_what_is_passed_over_is_counted(tmp_path: Path) -> None:
    touch(tmp_path, "b.mp4", "deep/er/a.MKV", "notes.txt", "cover.jpg", ".hidden/c.mp4")
    found = find_sources([str(tmp_path)])
    assert [source.name for source in found.sources] == ["b.mp4", "deep/er/a.MKV"]
    assert found.skipped == {".txt": 1, ".jpg": 1}


def test_a_file_that_is_named_is_taken_whatever_its_ending(tmp_path: Path) -> None:
    touch(tmp_path, "clip.bin")
    assert [source.name for source in find_sources([str(tmp_path / "clip.bin")]).sources] == ["clip.bin"]


def test_a_list_names_inputs_line_by_line(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp4", "more/b.mp4", "more/c.mp4")
    listing = tmp_path / "list.txt"
    listing.write_text(f"# two inputs\n{tmp_path}/a.mp4\n\n{tmp_path}/more\n")
    assert [source.name for source in find_sources([str(listing)]).sources] == ["a.mp4", "b.mp4", "c.mp4"]


def test_a_list_that_names_itself_is_refused(tmp_path: Path) -> None:
    listing = tmp_path / "list.txt"
    listing.write_text(f"{listing}\n")
    with pytest.raises(ListingError, match="names itself"):
        find_sources([str(listing)])


def test_lists_that_name_each_other_are_told_in_one_line(tmp_path: Path) -> None:
    one, other = tmp_path / "one.txt", tmp_path / "other.txt"
    one.write_text(f"{other}\n")
    other.write_text(f"{one}\n")
    with pytest.raises(ListingError, match=r"one\.txt' names itself \(a line of the list '.*other\.txt'\): take that"):
        find_sources([str(one)])


def test_a_line_that_leads_nowhere_is_told_with_its_list(tmp_path: Path) -> None:
    listed = tmp_path / "listed.txt"
    listed.write_text(f"{tmp_path / 'gone.mp4'}\n")
    with pytest.raises(ListingError, match=r"gone\.mp4' does not exist \(a line of the list '.*listed\.txt'\)$"):
        find_sources([str(listed)])


def test_a_video_given_twice_is_listed_once(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp4")
    assert len(find_sources([str(tmp_path), str(tmp_path / "a.mp4")]).sources) == 1


@pytest.mark.parametrize("missing", ["nowhere", "empty"])
def test_an_input_without_videos_is_refused_by_name(tmp_path: Path, missing: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ListingError, match=missing):
        find_sources([str(tmp_path / missing)])


def test_ids_are_readable_and_safe_as_sample_keys() -> None:
    made = source_id("My Film: part 1.mp4")
    assert made.startswith("my-film-part-1-")
    assert "." not in made
    assert source_id("映画.mp4").startswith("video-")


def test_added_videos_open_new_pages_and_leave_the_old_ones(tmp_path: Path) -> None:
    store, videos = Store(str(tmp_path / "run")), tmp_path / "videos"
    touch(videos, "b.mp4", "d.mp4", "f.mp4")
    update_listing(store, find_sources([str(videos)]).sources, page_size=2)
    before = [store.info("listing", row) for row in store.rows("listing")]
    touch(videos, "a.mp4", "c.mp4")
    update_listing(store, find_sources([str(videos)]).sources, page_size=2)
    assert pages(store) == [["b.mp4", "d.mp4"], ["f.mp4"], ["a.mp4", "c.mp4"]]
    assert [store.info("listing", row) for row in (0, 1)] == before


def test_a_changed_video_changes_its_page_only(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "run"))
    videos = touch(tmp_path / "videos", "a.mp4", "b.mp4")
    update_listing(store, find_sources([str(videos)]).sources, page_size=1)
    before = [store.info("listing", row) for row in (0, 1)]
    (videos / "b.mp4").write_bytes(b"another video altogether")
    update_listing(store, find_sources([str(videos)]).sources, page_size=1)
    after = [store.info("listing", row) for row in (0, 1)]
    assert before[0] == after[0]
    assert before[1] != after[1]


def test_a_video_that_is_no_longer_given_stays_and_is_reported(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "run"))
    videos = touch(tmp_path / "videos", "a.mp4", "b.mp4")
    update_listing(store, find_sources([str(videos)]).sources, page_size=8)
    (videos / "b.mp4").unlink()
    assert update_listing(store, find_sources([str(videos)]).sources, page_size=8) == 1
    assert pages(store) == [["a.mp4", "b.mp4"]]


def test_ids_do_not_depend_on_where_the_folder_lies(tmp_path: Path) -> None:
    ids = []
    for place in ("here", "there/and/elsewhere"):
        videos = touch(tmp_path / place, "a.mp4", "deep/b.mp4")
        store = Store(str(tmp_path / place / "run"))
        update_listing(store, find_sources([str(videos)]).sources, page_size=8)
        ids.append([source.source_id for source in read_row(store, "listing", 0, ListedSource)])
    assert ids[0] == ids[1]


def test_files_of_one_name_have_ids_of_their_own_and_keep_them(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "run"))
    one, two = touch(tmp_path / "one", "a.mp4"), touch(tmp_path / "two", "a.mp4")
    update_listing(store, find_sources([str(two)]).sources, page_size=8)
    for _ in range(2):
        update_listing(store, find_sources([str(one), str(two)]).sources, page_size=8)
    pages_ = [list(read_row(store, "listing", row, ListedSource)) for row in store.rows("listing")]
    ids = {source.uri: source.source_id for page in pages_ for source in page}
    assert ids[str(two / "a.mp4")] == source_id("a.mp4")
    assert ids[str(one / "a.mp4")] == source_id("a.mp4", salt=str(one / "a.mp4"))
    assert [len(page) for page in pages_] == [1, 1]
