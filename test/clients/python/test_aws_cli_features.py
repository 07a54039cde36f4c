"""AWS CLI: versions, tags, rename, lifecycle rules, attributes."""

import json
from pathlib import Path

import pytest

from aws_cli import AwsCli
from door import Door, requested_door
from tree import write


@pytest.fixture(scope="session", params=["http-virtual", "https-path"])
def door(request: pytest.FixtureRequest) -> Door:
    """Two of them, for each command takes a second to start."""
    return requested_door(request)


@pytest.fixture
def aws(door: Door, tmp_path: Path) -> AwsCli:
    return AwsCli(door, tmp_path)


def test_versions_are_kept_listed_read_and_removed(
    aws: AwsCli, bucket: str, tmp_path: Path
) -> None:
    name = ("--bucket", bucket, "--key", "a b")
    enabled = ("--versioning-configuration", "Status=Enabled")
    aws("s3api", "put-bucket-versioning", "--bucket", bucket, *enabled)
    assert aws.api("get-bucket-versioning", "--bucket", bucket) == {"Status": "Enabled"}
    bodies = [write(tmp_path / text, text.encode()) for text in ("one", "two")]
    ids = [aws.api("put-object", *name, "--body", body)["VersionId"] for body in bodies]
    aws.api("get-object", *name, "--version-id", ids[0], tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == b"one"
    aws("s3", "rm", f"s3://{bucket}/a b")
    listed = aws.api("list-object-versions", "--bucket", bucket)
    assert [each["VersionId"] for each in listed["Versions"]] == ids[::-1]
    (marker,) = listed["DeleteMarkers"]
    assert marker["IsLatest"] is True
    aws.api("delete-object", *name, "--version-id", marker["VersionId"])
    aws("s3", "cp", f"s3://{bucket}/a b", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == b"two"


def test_rename_object(aws: AwsCli, bucket: str, tmp_path: Path) -> None:
    aws("s3", "cp", write(tmp_path / "a", b"bytes"), f"s3://{bucket}/a b")
    ask = ("--bucket", bucket, "--key", "c d", "--rename-source", f"/{bucket}/a b")
    aws("s3api", "rename-object", *ask, "--destination-if-none-match", "*")
    assert aws("s3", "cp", f"s3://{bucket}/c d", "-") == "bytes"
    assert "NoSuchKey" in aws.refused("rename-object", *ask)


def test_rename_object_in_a_bucket_whose_name_asks_for_a_session(
    door: Door, tmp_path: Path
) -> None:
    aws = AwsCli(door, tmp_path, signature_version=None)
    bucket = f"cli-{door.name}--az1--x-s3"
    aws("s3api", "create-bucket", "--bucket", bucket)
    name = ("--bucket", bucket)
    aws.api("put-object", *name, "--key", "a", "--body", write(tmp_path / "a", b"bytes"))
    aws("s3api", "rename-object", *name, "--key", "b", "--rename-source", f"/{bucket}/a")
    assert [each["Key"] for each in aws.api("list-objects-v2", *name)["Contents"]] == ["b"]


def test_tags(aws: AwsCli, bucket: str, tmp_path: Path) -> None:
    name = ("--bucket", bucket, "--key", "a")
    aws.api("put-object", *name, "--body", write(tmp_path / "a", b"1"), "--tagging", "colour=blue")
    assert aws.api("get-object-tagging", *name)["TagSet"] == [{"Key": "colour", "Value": "blue"}]
    aws("s3api", "put-object-tagging", *name, "--tagging", "TagSet=[{Key=size,Value=1}]")
    assert aws.api("get-object-tagging", *name)["TagSet"] == [{"Key": "size", "Value": "1"}]
    aws("s3api", "delete-object-tagging", *name)
    assert aws.api("get-object-tagging", *name)["TagSet"] == []


def test_lifecycle_rules_and_attributes(aws: AwsCli, bucket: str, tmp_path: Path) -> None:
    rule = {"ID": "r", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 2}}
    rules = json.dumps({"Rules": [rule]})
    only = ("--bucket", bucket)
    put = ("put-bucket-lifecycle-configuration", *only, "--lifecycle-configuration", rules)
    aws("s3api", *put)
    assert aws.api("get-bucket-lifecycle-configuration", *only)["Rules"] == [rule]
    body = write(tmp_path / "a", b"bytes")
    made = aws.api("put-object", *only, "--key", "a", "--body", body)
    assert 'rule-id="r"' in made["Expiration"]
    wanted = ("--object-attributes", "ETag", "ObjectSize", "StorageClass", "Checksum")
    got = aws.api("get-object-attributes", *only, "--key", "a", *wanted)
    assert (got["ObjectSize"], got["StorageClass"]) == (5, "STANDARD")
    assert got["ETag"] == made["ETag"].strip('"')
