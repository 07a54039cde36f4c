"""obstore: the object_store of Rust, under delta-rs, Lance, Polars and DataFusion."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import obstore
import pytest
from obstore.exceptions import AlreadyExistsError, NotFoundError, PreconditionError
from obstore.store import S3Store

from door import REGION, Door
from sample import MEBIBYTE, sample_bytes

WRITERS = 16


@pytest.fixture
def store(http_path: Door) -> Any:
    return S3Store(
        http_path.new_bucket(),
        endpoint=http_path.endpoint,
        region=REGION,
        access_key_id=http_path.server.access_key_id,
        secret_access_key=http_path.server.secret,
        client_options={"allow_http": True},
    )


def test_one_of_many_creates_the_object(store: Any) -> None:
    def won(number: int) -> bool:
        try:
            obstore.put(store, "key", f"{number}".encode(), mode="create")
        except AlreadyExistsError:
            return False
        return True

    with ThreadPoolExecutor(WRITERS) as pool:
        winners = [number for number, has_won in enumerate(pool.map(won, range(64))) if has_won]
    assert [f"{number}".encode() for number in winners] == [read(store, "key")]


def test_no_update_of_a_counter_is_lost(store: Any) -> None:
    obstore.put(store, "counter", b"0")

    def count(_: int) -> None:
        while True:
            found = obstore.get(store, "counter")
            etag = found.meta["e_tag"]
            more = f"{int(bytes(found.bytes())) + 1}".encode()
            try:
                obstore.put(store, "counter", more, mode={"e_tag": etag})
            except PreconditionError:
                continue
            return

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(count, range(40)))
    assert read(store, "counter") == b"40"


def test_what_is_sent_in_parts_is_read_in_ranges(store: Any) -> None:
    whole = sample_bytes(12 * MEBIBYTE + 7)
    obstore.put(store, "a/large", whole, chunk_size=5 * MEBIBYTE)

    assert obstore.head(store, "a/large")["size"] == len(whole)
    starts, ends = [0, 5 * MEBIBYTE - 1, len(whole) - 9], [1, 5 * MEBIBYTE + 1, len(whole)]
    pieces = obstore.get_ranges(store, "a/large", starts=starts, ends=ends)
    assert [bytes(piece) for piece in pieces] == [whole[a:b] for a, b in zip(starts, ends)]
    assert read(store, "a/large") == whole


def test_objects_are_copied_renamed_listed_and_deleted(store: Any) -> None:
    for key in ("a/1", "a/b/2", "c"):
        obstore.put(store, key, key.encode())
    obstore.copy(store, "a/1", "a/copy of 1")
    obstore.rename(store, "c", "d")

    found = obstore.list_with_delimiter(store, "a")
    assert [each["path"] for each in found["objects"]] == ["a/1", "a/copy of 1"]
    assert found["common_prefixes"] == ["a/b"]
    keys = sorted(each["path"] for page in obstore.list(store) for each in page)
    assert keys == ["a/1", "a/b/2", "a/copy of 1", "d"]
    obstore.delete(store, keys)
    assert [each for page in obstore.list(store) for each in page] == []
    with pytest.raises((NotFoundError, FileNotFoundError)):
        read(store, "d")


def read(store: Any, key: str) -> bytes:
    return bytes(obstore.get(store, key).bytes())
