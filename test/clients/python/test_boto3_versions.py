"""boto3: versions of objects."""

import io
import urllib.request
from typing import Any

import pytest

from refused import refused
from sample import ODD_KEYS, sample_bytes


@pytest.fixture
def versioned(s3: Any, bucket: str) -> str:
    enabled = {"Status": "Enabled"}
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=enabled)
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    return bucket


def put(s3: Any, bucket: str, key: str, *bodies: bytes) -> list[str]:
    return [s3.put_object(Bucket=bucket, Key=key, Body=body)["VersionId"] for body in bodies]


def read(s3: Any, bucket: str, key: str, **ask: Any) -> bytes:
    body: bytes = s3.get_object(Bucket=bucket, Key=key, **ask)["Body"].read()
    return body


def test_a_bucket_that_never_kept_versions_has_no_status(s3: Any, bucket: str) -> None:
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    assert "VersionId" not in s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    listed = s3.list_object_versions(Bucket=bucket)["Versions"]
    assert [(each["VersionId"], each["IsLatest"]) for each in listed] == [("null", True)]


def test_each_version_is_read_by_its_id(s3: Any, versioned: str) -> None:
    one, two = put(s3, versioned, "a b", b"one", b"two")
    assert read(s3, versioned, "a b") == b"two"
    assert read(s3, versioned, "a b", VersionId=one) == b"one"
    head = s3.head_object(Bucket=versioned, Key="a b", VersionId=two)
    assert (head["VersionId"], head["ContentLength"]) == (two, 3)
    with refused("NoSuchVersion", 404):
        read(s3, versioned, "a b", VersionId="0" * 15 + "1")


def test_a_delete_marker_hides_and_its_removal_shows_again(s3: Any, versioned: str) -> None:
    put(s3, versioned, "a", b"one")
    marker = s3.delete_object(Bucket=versioned, Key="a")
    assert marker["DeleteMarker"] is True
    with refused("NoSuchKey", 404):
        read(s3, versioned, "a")
    with refused("405", 405):
        s3.head_object(Bucket=versioned, Key="a", VersionId=marker["VersionId"])
    removed = s3.delete_object(Bucket=versioned, Key="a", VersionId=marker["VersionId"])
    assert removed["DeleteMarker"] is True
    assert read(s3, versioned, "a") == b"one"


def test_versions_are_listed_by_key_the_newest_first_page_by_page(
    s3: Any, versioned: str
) -> None:
    keys = sorted([*ODD_KEYS, "plain"], key=lambda key: key.encode())
    expected = []
    for key in keys:
        ids = put(s3, versioned, key, b"1", b"22")
        expected += [(key, version, size) for version, size in zip(ids[::-1], (2, 1), strict=True)]
    paginator = s3.get_paginator("list_object_versions")
    pages = paginator.paginate(Bucket=versioned, PaginationConfig={"PageSize": 3})
    listed = [version for page in pages for version in page.get("Versions", [])]
    assert [(each["Key"], each["VersionId"], each["Size"]) for each in listed] == expected
    assert [each["IsLatest"] for each in listed] == [True, False] * len(keys)


def test_delete_objects_removes_versions_and_lays_markers(s3: Any, versioned: str) -> None:
    one, two = put(s3, versioned, "a", b"one", b"two")
    put(s3, versioned, "b", b"b")
    objects = [{"Key": "a", "VersionId": one}, {"Key": "b"}]
    deleted = s3.delete_objects(Bucket=versioned, Delete={"Objects": objects})["Deleted"]
    assert {each["Key"]: each.get("DeleteMarker", False) for each in deleted} == {
        "a": False,
        "b": True,
    }
    listed = s3.list_object_versions(Bucket=versioned)
    assert [each["VersionId"] for each in listed["Versions"] if each["Key"] == "a"] == [two]
    assert [each["Key"] for each in listed["DeleteMarkers"]] == ["b"]


def test_an_old_version_is_brought_back_by_a_copy(s3: Any, versioned: str) -> None:
    one, _ = put(s3, versioned, "a", b"one", b"two")
    source = {"Bucket": versioned, "Key": "a", "VersionId": one}
    copied = s3.copy_object(Bucket=versioned, Key="a", CopySource=source)
    assert copied["CopySourceVersionId"] == one
    assert copied["VersionId"] not in (one, None)
    assert read(s3, versioned, "a") == b"one"


def test_an_upload_in_parts_makes_one_version(s3: Any, versioned: str) -> None:
    body = sample_bytes(9_000_000)
    s3.upload_fileobj(io.BytesIO(body), versioned, "large")
    (version,) = s3.list_object_versions(Bucket=versioned)["Versions"]
    assert read(s3, versioned, "large", VersionId=version["VersionId"]) == body


def test_suspended_versioning_writes_the_null_version(s3: Any, versioned: str) -> None:
    (kept,) = put(s3, versioned, "a", b"kept")
    suspended = {"Status": "Suspended"}
    s3.put_bucket_versioning(Bucket=versioned, VersioningConfiguration=suspended)
    for body in (b"null", b"null again"):
        s3.put_object(Bucket=versioned, Key="a", Body=body)
    listed = s3.list_object_versions(Bucket=versioned)["Versions"]
    assert [each["VersionId"] for each in listed] == ["null", kept]
    assert read(s3, versioned, "a", VersionId="null") == b"null again"
    assert read(s3, versioned, "a", VersionId=kept) == b"kept"


def test_a_bucket_with_versions_is_not_deleted_and_an_emptied_one_is(
    s3: Any, versioned: str
) -> None:
    put(s3, versioned, "a", b"one")
    s3.delete_object(Bucket=versioned, Key="a")
    with refused("BucketNotEmpty", 409):
        s3.delete_bucket(Bucket=versioned)
    listed = s3.list_object_versions(Bucket=versioned)
    for each in [*listed["Versions"], *listed["DeleteMarkers"]]:
        s3.delete_object(Bucket=versioned, Key=each["Key"], VersionId=each["VersionId"])
    s3.delete_bucket(Bucket=versioned)


def test_presigned_urls_read_versions(s3: Any, versioned: str) -> None:
    one, _ = put(s3, versioned, "a", b"one", b"two")
    ask = {"Bucket": versioned, "Key": "a", "VersionId": one}
    url = s3.generate_presigned_url("get_object", Params=ask)
    assert one in url
    if url.startswith("http:"):
        with urllib.request.urlopen(url, timeout=30) as reply:
            assert reply.read() == b"one"
