"""boto3: rename_object, in buckets of any name and of names that end in --x-s3."""

import itertools
import urllib.parse
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from door import Door
from refused import refused
from sample import ODD_KEYS

_numbers = itertools.count(1)


def read(s3: Any, bucket: str, key: str) -> bytes:
    body: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return body


def keys(s3: Any, bucket: str) -> list[str]:
    return [each["Key"] for each in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]


# What a header cannot carry has to be encoded: a line break, a space at the end.
PLAIN_KEYS = ("plus+plus and space", "100%25 of 50%", "\U0001f389 and \u00e9", "a/b//c", "?#&=")


@pytest.mark.parametrize("encoded", [True, False])
def test_any_key_becomes_any_other(s3: Any, bucket: str, encoded: bool) -> None:
    for key in ODD_KEYS if encoded else PLAIN_KEYS:
        source = f"renamed {key}"
        s3.put_object(Bucket=bucket, Key=source, Body=key.encode())
        named = urllib.parse.quote(source) if encoded else source
        s3.rename_object(Bucket=bucket, Key=key, RenameSource=f"/{bucket}/{named}")
        assert read(s3, bucket, key) == key.encode()
        with refused("NoSuchKey", 404):
            read(s3, bucket, source)


def test_the_source_is_named_in_three_ways(s3: Any, bucket: str) -> None:
    for source in (f"/{bucket}/a", f"{bucket}/a", "/a", "a"):
        s3.put_object(Bucket=bucket, Key="a", Body=b"bytes")
        s3.rename_object(Bucket=bucket, Key="b", RenameSource=source)
        assert keys(s3, bucket) == ["b"]


def test_all_that_is_known_of_the_object_goes_with_it(s3: Any, bucket: str) -> None:
    s3.put_object(
        Bucket=bucket,
        Key="a",
        Body=b"bytes",
        ContentType="text/x-special",
        Metadata={"colour": "blue"},
        Tagging="k=v",
        ChecksumAlgorithm="SHA256",
    )
    before = s3.head_object(Bucket=bucket, Key="a", ChecksumMode="ENABLED")
    s3.rename_object(Bucket=bucket, Key="b", RenameSource="a")
    after = s3.head_object(Bucket=bucket, Key="b", ChecksumMode="ENABLED")
    same = ("ETag", "LastModified", "ContentType", "Metadata", "ChecksumSHA256", "TagCount")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}


def test_conditions_are_held(s3: Any, bucket: str) -> None:
    etags = {
        key: s3.put_object(Bucket=bucket, Key=key, Body=key.encode())["ETag"] for key in "ab"
    }
    ask = {"Bucket": bucket, "Key": "b", "RenameSource": "a"}
    with refused("PreconditionFailed", 412):
        s3.rename_object(**ask, DestinationIfNoneMatch="*")
    with refused("PreconditionFailed", 412):
        s3.rename_object(**ask, SourceIfMatch=etags["b"])
    with refused("PreconditionFailed", 412):
        s3.rename_object(**ask, DestinationIfMatch=etags["a"])
    s3.rename_object(**ask, SourceIfMatch=etags["a"], DestinationIfMatch=etags["b"])
    assert read(s3, bucket, "b") == b"a"


def test_a_client_token_makes_a_rename_happen_once(s3: Any, bucket: str) -> None:
    token = str(uuid.uuid4())
    s3.put_object(Bucket=bucket, Key="a", Body=b"first")
    ask = {"Bucket": bucket, "Key": "b", "RenameSource": "a", "ClientToken": token}
    s3.rename_object(**ask)
    s3.put_object(Bucket=bucket, Key="a", Body=b"second")
    s3.rename_object(**ask)
    assert read(s3, bucket, "a") == b"second"
    with refused("IdempotencyParameterMismatch", 400):
        s3.rename_object(**(ask | {"Key": "c"}))


def test_versions_and_other_buckets_are_refused(s3: Any, door: Door, bucket: str) -> None:
    other = door.new_bucket()
    with refused("NoSuchKey", 404):
        s3.rename_object(Bucket=bucket, Key="b", RenameSource="absent")
    with refused("InvalidRequest", 400):
        s3.rename_object(Bucket=bucket, Key="b", RenameSource=f"/{other}/a")
    s3.put_object(Bucket=bucket, Key="a", Body=b"bytes")
    enabled = {"Status": "Enabled"}
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=enabled)
    with refused("InvalidBucketState", 409):
        s3.rename_object(Bucket=bucket, Key="b", RenameSource="a")


# Names that end in --x-s3: without a signature version given boto3 asks for sessions.


@pytest.fixture
def express(door: Door) -> Any:
    return door.client(signature_version=None)


@pytest.fixture
def directory(door: Door, express: Any) -> Iterator[str]:
    if door.name == "https-virtual":
        pytest.skip("the certificate has no such name")
    name = f"r{next(_numbers)}-{door.name}--az1--x-s3"
    express.create_bucket(Bucket=name)
    yield name
    express.delete_bucket(Bucket=name)


def sessions_of(client: Any) -> list[str]:
    """The sessions that the client asks for from now on."""
    asked: list[str] = []
    client.meta.events.register(
        "before-call.s3.CreateSession", lambda params, **_: asked.append(params["url"])
    )
    return asked


def test_a_session_renames_in_its_bucket(door: Door, directory: str) -> None:
    express = door.client(signature_version=None)
    asked = sessions_of(express)
    express.put_object(Bucket=directory, Key="a b", Body=b"bytes")
    express.rename_object(Bucket=directory, Key="c d", RenameSource=f"/{directory}/a b")
    assert read(express, directory, "c d") == b"bytes"
    url = express.generate_presigned_url("get_object", Params={"Bucket": directory, "Key": "c d"})
    assert "X-Amz-S3session-Token=" in url
    express.delete_object(Bucket=directory, Key="c d")
    assert len(asked) == 1


def test_a_session_is_for_one_bucket(door: Door, express: Any, directory: str) -> None:
    made = express.create_session(Bucket=directory, SessionMode="ReadOnly")["Credentials"]
    inside = door.client(
        signature_version="s3v4",
        access_key_id=made["AccessKeyId"],
        secret=made["SecretAccessKey"],
    )

    def with_token(request: Any, **_: Any) -> None:
        request.headers["x-amz-s3session-token"] = made["SessionToken"]

    inside.meta.events.register("before-sign.s3", with_token)
    assert inside.list_objects_v2(Bucket=directory)["KeyCount"] == 0
    with refused("AccessDenied", 403):
        inside.put_object(Bucket=directory, Key="a", Body=b"1")
    with refused("AccessDenied", 403):
        inside.list_buckets()


def test_sessions_can_be_done_without(door: Door, directory: str) -> None:
    plain = door.client(signature_version=None, s3={"disable_s3_express_session_auth": True})
    asked = sessions_of(plain)
    plain.put_object(Bucket=directory, Key="a", Body=b"1")
    plain.rename_object(Bucket=directory, Key="b", RenameSource="a")
    plain.delete_object(Bucket=directory, Key="b")
    assert asked == []
