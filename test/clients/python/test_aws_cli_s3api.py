"""AWS CLI: `aws s3api`."""

import json
from pathlib import Path

import pytest

from aws_cli import AwsCli
from door import Door, requested_door
from sample import MEBIBYTE, sample_bytes
from tree import write


@pytest.fixture(scope="session", params=["http-virtual", "https-path"])
def door(request: pytest.FixtureRequest) -> Door:
    """Two of them, for each command takes a second to start; `aws s3` has the others."""
    return requested_door(request)


@pytest.fixture
def aws(door: Door, tmp_path: Path) -> AwsCli:
    return AwsCli(door, tmp_path, native=True)


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
def test_put_object_with_a_checksum_algorithm(
    aws: AwsCli, bucket: str, tmp_path: Path, algorithm: str
) -> None:
    body = write(tmp_path / "body", sample_bytes(10_000))
    name = ("--bucket", bucket, "--key", "a b")
    put = aws.api("put-object", *name, "--body", body, "--checksum-algorithm", algorithm)
    head = aws.api("head-object", *name, "--checksum-mode", "ENABLED")
    assert head[f"Checksum{algorithm}"] == put[f"Checksum{algorithm}"]
    aws.api("get-object", *name, "--checksum-mode", "ENABLED", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == body.read_bytes()


def test_get_object_of_a_range_and_head_object(aws: AwsCli, bucket: str, tmp_path: Path) -> None:
    body = write(tmp_path / "body", sample_bytes(10_000))
    name = ("--bucket", bucket, "--key", "a")
    aws.api(
        "put-object", *name, "--body", body, "--metadata", "colour=blue", "--content-type", "a/b"
    )
    part = aws.api("get-object", *name, "--range", "bytes=10-19", tmp_path / "part")
    assert part["ContentRange"] == "bytes 10-19/10000"
    assert (tmp_path / "part").read_bytes() == sample_bytes(10_000)[10:20]
    head = aws.api("head-object", *name)
    assert head["Metadata"] == {"colour": "blue"}
    assert (head["ContentLength"], head["ContentType"]) == (10_000, "a/b")
    assert "Not Found" in aws.refused("head-object", "--bucket", bucket, "--key", "absent")


def test_copy_object_and_delete_objects(aws: AwsCli, bucket: str, tmp_path: Path) -> None:
    body = write(tmp_path / "body", b"abc")
    aws.api("put-object", "--bucket", bucket, "--key", "a", "--body", body)
    source = ("--copy-source", f"{bucket}/a")
    aws.api("copy-object", "--bucket", bucket, "--key", "b", *source)
    objects = {"Objects": [{"Key": "a"}, {"Key": "b"}, {"Key": "absent"}]}
    deleted = aws.api("delete-objects", "--bucket", bucket, "--delete", json.dumps(objects))
    assert {each["Key"] for each in deleted["Deleted"]} == {"a", "b", "absent"}
    assert aws.api("list-objects-v2", "--bucket", bucket).get("Contents") is None


def test_conditional_writes(aws: AwsCli, bucket: str, tmp_path: Path) -> None:
    put = ("put-object", "--bucket", bucket, "--key", "a", "--body", write(tmp_path / "a", b"1"))
    etag = aws.api(*put, "--if-none-match", "*")["ETag"]
    assert "PreconditionFailed" in aws.refused(*put, "--if-none-match", "*")
    aws.api(*put, "--if-match", etag)
    assert "PreconditionFailed" in aws.refused(*put, "--if-match", '"0"')


def test_a_multipart_upload_from_its_creation_to_its_completion(
    aws: AwsCli, bucket: str, tmp_path: Path
) -> None:
    name = ("--bucket", bucket, "--key", "dir/of parts")
    created = aws.api("create-multipart-upload", *name, "--checksum-algorithm", "CRC32")
    upload = (*name, "--upload-id", created["UploadId"])
    parts = []
    for number, size_bytes in ((1, 5 * MEBIBYTE), (2, 1_000)):
        body = write(tmp_path / "part", sample_bytes(size_bytes, number))
        words = ("--part-number", str(number), "--body", body, "--checksum-algorithm", "CRC32")
        part = aws.api("upload-part", *upload, *words)
        parts.append(
            {"PartNumber": number, "ETag": part["ETag"], "ChecksumCRC32": part["ChecksumCRC32"]}
        )
    uploads = aws.api("list-multipart-uploads", "--bucket", bucket)["Uploads"]
    assert [each["UploadId"] for each in uploads] == [created["UploadId"]]
    listed = aws.api("list-parts", *upload)["Parts"]
    assert [(part["PartNumber"], part["Size"]) for part in listed] == [
        (1, 5 * MEBIBYTE),
        (2, 1_000),
    ]
    document = json.dumps({"Parts": parts})
    done = aws.api("complete-multipart-upload", *upload, "--multipart-upload", document)
    assert done["ETag"].endswith('-2"')
    aws.api("get-object", *name, tmp_path / "back")
    whole = sample_bytes(5 * MEBIBYTE, 1) + sample_bytes(1_000, 2)
    assert (tmp_path / "back").read_bytes() == whole


def test_an_aborted_upload_is_gone(aws: AwsCli, bucket: str) -> None:
    name = ("--bucket", bucket, "--key", "a")
    upload_id = aws.api("create-multipart-upload", *name)["UploadId"]
    aws.api("abort-multipart-upload", *name, "--upload-id", upload_id)
    assert "NoSuchUpload" in aws.refused("list-parts", *name, "--upload-id", upload_id)


def test_bucket_commands(aws: AwsCli, door: Door) -> None:
    name = ("--bucket", f"api-{door.name}")
    aws.api("create-bucket", *name)
    assert aws.api("get-bucket-location", *name) == {"LocationConstraint": None}
    aws.api("head-bucket", *name)
    names = [each["Name"] for each in aws.api("list-buckets")["Buckets"]]
    assert name[1] in names
    aws.api("delete-bucket", *name)
    assert "NoSuchBucket" in aws.refused("delete-bucket", *name)
