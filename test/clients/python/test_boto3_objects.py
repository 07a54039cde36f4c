"""boto3: objects and their attributes."""

import datetime
import io
import os
from pathlib import Path
from typing import Any

import pytest

from door import Door
from refused import refused
from sample import ODD_KEYS, sample_bytes

BYTES = sample_bytes(300_000)


def read(s3: Any, bucket: str, key: str, **ask: Any) -> bytes:
    body: bytes = s3.get_object(Bucket=bucket, Key=key, **ask)["Body"].read()
    return body


@pytest.mark.parametrize("size_bytes", [0, 1, 5_000, 300_000, 3_000_000])
def test_put_object_stores_bytes_and_get_object_gives_them_back(
    s3: Any, bucket: str, size_bytes: int
) -> None:
    body = sample_bytes(size_bytes)
    put = s3.put_object(Bucket=bucket, Key="bytes", Body=body)
    got = s3.get_object(Bucket=bucket, Key="bytes")
    assert got["Body"].read() == body
    assert (got["ETag"], got["ContentLength"]) == (put["ETag"], size_bytes)
    assert got["AcceptRanges"] == "bytes"


def test_put_object_stores_a_file_object_and_a_stream_in_memory(
    s3: Any, bucket: str, tmp_path: Path
) -> None:
    path = tmp_path / "body"
    path.write_bytes(BYTES)
    with path.open("rb") as file:
        s3.put_object(Bucket=bucket, Key="file", Body=file)
    s3.put_object(Bucket=bucket, Key="stream", Body=io.BytesIO(BYTES))
    assert read(s3, bucket, "file") == BYTES
    assert read(s3, bucket, "stream") == BYTES


@pytest.mark.parametrize("key", ODD_KEYS, ids=ascii)
def test_an_odd_key_is_put_got_listed_copied_and_deleted(s3: Any, bucket: str, key: str) -> None:
    body = key.encode()
    s3.put_object(Bucket=bucket, Key=key, Body=body)
    assert read(s3, bucket, key) == body
    listed = s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert [each["Key"] for each in listed] == [key]
    s3.copy_object(Bucket=bucket, Key=f"copy of {key}", CopySource={"Bucket": bucket, "Key": key})
    assert read(s3, bucket, f"copy of {key}") == body
    s3.delete_object(Bucket=bucket, Key=key)
    with refused("404", 404):
        s3.head_object(Bucket=bucket, Key=key)
    deleted = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": f"copy of {key}"}]})
    assert [each["Key"] for each in deleted["Deleted"]] == [f"copy of {key}"]
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_metadata_comes_back_as_it_was_given(s3: Any, bucket: str) -> None:
    expires = datetime.datetime(2031, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
    system = {
        "ContentType": "text/plain; charset=utf-8",
        "CacheControl": "max-age=60",
        "ContentDisposition": 'attachment; filename="a b.txt"',
        "ContentEncoding": "gzip",
        "ContentLanguage": "de, en",
    }
    metadata = {"colour": "dark blue", "dashed-name": "1", "mixedcase": "Kept As It Is"}
    s3.put_object(Bucket=bucket, Key="a", Body=b"abc", Metadata=metadata, Expires=expires, **system)
    for answer in (s3.head_object(Bucket=bucket, Key="a"), s3.get_object(Bucket=bucket, Key="a")):
        assert answer["Metadata"] == metadata
        assert {name: answer[name] for name in system} == system
        assert answer["ExpiresString"] == "Thu, 02 Jan 2031 03:04:05 GMT"


def test_an_object_without_a_content_type_is_binary(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"abc")
    assert s3.head_object(Bucket=bucket, Key="a")["ContentType"] == "binary/octet-stream"


def test_metadata_of_more_than_two_kilobytes_is_refused(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"", Metadata={"a": "x" * 2_047})
    with refused("MetadataTooLarge", 400):
        s3.put_object(Bucket=bucket, Key="b", Body=b"", Metadata={"a": "x" * 2_048})


def test_a_key_of_1024_bytes_is_stored_and_a_longer_one_refused(s3: Any, bucket: str) -> None:
    key = "é" * 512
    s3.put_object(Bucket=bucket, Key=key, Body=b"long")
    assert read(s3, bucket, key) == b"long"
    with refused("KeyTooLongError", 400):
        s3.put_object(Bucket=bucket, Key=f"{key}x", Body=b"")


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=1000-199999", 1_000, 199_999),
        ("bytes=-7", 299_993, 299_999),
        ("bytes=299999-", 299_999, 299_999),
        ("bytes=299990-400000", 299_990, 299_999),
        ("bytes=-400000", 0, 299_999),
    ],
)
def test_a_range_is_answered_with_its_bytes_and_place(
    s3: Any, bucket: str, asked: str, first: int, last: int
) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=BYTES)
    got = s3.get_object(Bucket=bucket, Key="a", Range=asked)
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert got["ContentRange"] == f"bytes {first}-{last}/300000"
    assert got["Body"].read() == BYTES[first : last + 1]


def test_a_range_after_the_end_is_refused(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"abc")
    with refused("InvalidRange", 416):
        s3.get_object(Bucket=bucket, Key="a", Range="bytes=3-")


def test_get_object_overrides_headers_of_the_answer(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"abc", ContentType="text/plain")
    got = s3.get_object(
        Bucket=bucket,
        Key="a",
        ResponseContentType="text/html",
        ResponseContentDisposition="attachment",
        ResponseCacheControl="no-store",
    )
    assert got["ContentType"] == "text/html"
    assert got["ContentDisposition"] == "attachment"
    assert got["CacheControl"] == "no-store"


def test_reads_hold_their_conditions(s3: Any, bucket: str) -> None:
    etag = s3.put_object(Bucket=bucket, Key="a", Body=b"abc")["ETag"]
    modified = s3.head_object(Bucket=bucket, Key="a")["LastModified"]
    hour = datetime.timedelta(hours=1)
    assert read(s3, bucket, "a", IfMatch=etag) == b"abc"
    assert read(s3, bucket, "a", IfModifiedSince=modified - hour) == b"abc"
    assert read(s3, bucket, "a", IfMatch=etag, IfUnmodifiedSince=modified - hour) == b"abc"
    with refused("304", 304):
        s3.get_object(Bucket=bucket, Key="a", IfNoneMatch=etag)
    with refused("304", 304):
        s3.get_object(Bucket=bucket, Key="a", IfModifiedSince=modified)
    with refused("PreconditionFailed", 412):
        s3.get_object(Bucket=bucket, Key="a", IfMatch='"0"')
    with refused("PreconditionFailed", 412):
        s3.get_object(Bucket=bucket, Key="a", IfUnmodifiedSince=modified - hour)
    with refused("412", 412):
        s3.head_object(Bucket=bucket, Key="a", IfMatch='"0"')


def test_writes_hold_their_conditions(s3: Any, bucket: str) -> None:
    etag = s3.put_object(Bucket=bucket, Key="a", Body=b"one", IfNoneMatch="*")["ETag"]
    with refused("PreconditionFailed", 412):
        s3.put_object(Bucket=bucket, Key="a", Body=b"two", IfNoneMatch="*")
    s3.put_object(Bucket=bucket, Key="a", Body=b"three", IfMatch=etag)
    with refused("PreconditionFailed", 412):
        s3.put_object(Bucket=bucket, Key="a", Body=b"four", IfMatch=etag)
    with refused("NoSuchKey", 404):
        s3.put_object(Bucket=bucket, Key="absent", Body=b"five", IfMatch=etag)
    with refused("InvalidRequest", 400):
        s3.put_object(Bucket=bucket, Key="b", Body=b"six", IfNoneMatch=etag)
    assert read(s3, bucket, "a") == b"three"


def test_copy_object_takes_attributes_over_or_replaces_them(s3: Any, bucket: str) -> None:
    source = {"Bucket": bucket, "Key": "source"}
    s3.put_object(**source, Body=BYTES, ContentType="text/plain", Metadata={"a": "1"})
    copied = s3.copy_object(Bucket=bucket, Key="copied", CopySource=source)
    head = s3.head_object(Bucket=bucket, Key="copied")
    assert head["ETag"] == copied["CopyObjectResult"]["ETag"]
    assert (head["ContentType"], head["Metadata"]) == ("text/plain", {"a": "1"})
    s3.copy_object(
        Bucket=bucket,
        Key="replaced",
        CopySource=source,
        MetadataDirective="REPLACE",
        Metadata={"b": "2"},
    )
    head = s3.head_object(Bucket=bucket, Key="replaced")
    assert (head["ContentType"], head["Metadata"]) == ("binary/octet-stream", {"b": "2"})
    assert read(s3, bucket, "replaced") == BYTES


def test_copy_object_onto_itself_has_to_change_something(s3: Any, bucket: str) -> None:
    source = {"Bucket": bucket, "Key": "a"}
    s3.put_object(**source, Body=BYTES)
    with refused("InvalidRequest", 400):
        s3.copy_object(**source, CopySource=source)
    s3.copy_object(**source, CopySource=source, MetadataDirective="REPLACE", Metadata={"a": "1"})
    assert s3.head_object(**source)["Metadata"] == {"a": "1"}
    assert read(s3, bucket, "a") == BYTES


def test_copy_object_between_buckets_holds_the_conditions_on_its_source(
    s3: Any, bucket: str, door: Door
) -> None:
    source = {"Bucket": door.new_bucket(), "Key": "a"}
    etag = s3.put_object(**source, Body=b"abc")["ETag"]
    s3.copy_object(Bucket=bucket, Key="b", CopySource=source, CopySourceIfMatch=etag)
    assert read(s3, bucket, "b") == b"abc"
    with refused("PreconditionFailed", 412):
        s3.copy_object(Bucket=bucket, Key="b", CopySource=source, CopySourceIfNoneMatch=etag)
    with refused("NoSuchKey", 404):
        s3.copy_object(Bucket=bucket, Key="b", CopySource={**source, "Key": "absent"})


def test_delete_objects_removes_a_thousand_keys(s3: Any, bucket: str) -> None:
    present = [f"key {number}" for number in range(20)]
    for key in present:
        s3.put_object(Bucket=bucket, Key=key, Body=b"1")
    names = present + [f"absent {number}" for number in range(980)]
    objects = [{"Key": name} for name in names]
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects})
    assert "Errors" not in answer
    assert {each["Key"] for each in answer["Deleted"]} == set(names)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    quiet = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
    assert "Deleted" not in quiet
    with refused("MalformedXML", 400):
        s3.delete_objects(Bucket=bucket, Delete={"Objects": [*objects, {"Key": "one more"}]})


def test_what_is_absent_is_told_by_name(s3: Any, bucket: str) -> None:
    with refused("NoSuchKey", 404):
        s3.get_object(Bucket=bucket, Key="absent")
    with refused("404", 404):
        s3.head_object(Bucket=bucket, Key="absent")
    with refused("NoSuchBucket", 404):
        s3.get_object(Bucket="bucket-of-nobody", Key="absent")
    with refused("NoSuchBucket", 404):
        s3.list_objects_v2(Bucket="bucket-of-nobody")
    with refused("NoSuchBucket", 404):
        s3.put_object(Bucket="bucket-of-nobody", Key="a", Body=os.urandom(10))
    s3.delete_object(Bucket=bucket, Key="absent")
