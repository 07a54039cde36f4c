"""boto3: checksums on the way in, at rest and on the way out."""

import base64
import hashlib
import io
import zlib
from typing import Any

import pytest

from door import Door
from refused import refused
from sample import MEBIBYTE, sample_bytes

ALGORITHMS = ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256")
TYPES = (
    ("CRC32", "FULL_OBJECT"),
    ("CRC32", "COMPOSITE"),
    ("CRC32C", "FULL_OBJECT"),
    ("CRC32C", "COMPOSITE"),
    ("CRC64NVME", "FULL_OBJECT"),
    ("SHA1", "COMPOSITE"),
    ("SHA256", "COMPOSITE"),
)
BYTES = sample_bytes(200_000, 2)
PARTS = [sample_bytes(5 * MEBIBYTE, 3), sample_bytes(1_234, 4)]


def name_of(algorithm: str) -> str:
    return f"Checksum{algorithm}"


@pytest.mark.parametrize("streamed", [False, True], ids=["bytes", "stream"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_put_object_with_an_algorithm_is_checked_and_kept(
    s3: Any, bucket: str, algorithm: str, streamed: bool
) -> None:
    body: Any = io.BytesIO(BYTES) if streamed else BYTES
    name = {"Bucket": bucket, "Key": "a"}
    put = s3.put_object(**name, Body=body, ChecksumAlgorithm=algorithm)
    head = s3.head_object(**name, ChecksumMode="ENABLED")
    assert head[name_of(algorithm)] == put[name_of(algorithm)]
    assert head["ChecksumType"] == "FULL_OBJECT"
    assert name_of(algorithm) not in s3.head_object(**name)
    # boto3 computes it again as it reads, and fails when it differs.
    assert s3.get_object(**name, ChecksumMode="ENABLED")["Body"].read() == BYTES
    attributes = s3.list_objects_v2(Bucket=bucket)["Contents"][0]
    assert attributes["ChecksumAlgorithm"] == [algorithm]


def test_put_object_with_no_algorithm_keeps_the_crc32_that_boto3_sends(
    s3: Any, bucket: str
) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=BYTES)
    head = s3.head_object(Bucket=bucket, Key="a", ChecksumMode="ENABLED")
    assert head["ChecksumCRC32"] == base64.b64encode(zlib.crc32(BYTES).to_bytes(4)).decode()


def test_put_object_with_no_checksum_at_all_is_given_crc64nvme(door: Door, bucket: str) -> None:
    s3 = door.client(request_checksum_calculation="when_required")
    s3.put_object(Bucket=bucket, Key="a", Body=BYTES)
    head = s3.head_object(Bucket=bucket, Key="a", ChecksumMode="ENABLED")
    assert (head["ChecksumType"], len(head["ChecksumCRC64NVME"])) == ("FULL_OBJECT", 12)
    assert s3.get_object(Bucket=bucket, Key="a", ChecksumMode="ENABLED")["Body"].read() == BYTES


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_put_object_with_a_wrong_checksum_stores_nothing(
    s3: Any, bucket: str, algorithm: str
) -> None:
    digest_bytes = {"CRC32": 4, "CRC32C": 4, "CRC64NVME": 8, "SHA1": 20, "SHA256": 32}[algorithm]
    wrong = base64.b64encode(bytes(digest_bytes)).decode()
    with refused("BadDigest", 400):
        s3.put_object(Bucket=bucket, Key="a", Body=BYTES, **{name_of(algorithm): wrong})
    with refused("404", 404):
        s3.head_object(Bucket=bucket, Key="a")


def test_put_object_with_a_wrong_content_md5_stores_nothing(s3: Any, bucket: str) -> None:
    right = base64.b64encode(hashlib.md5(BYTES).digest()).decode()
    s3.put_object(Bucket=bucket, Key="a", Body=BYTES, ContentMD5=right)
    with refused("BadDigest", 400):
        s3.put_object(Bucket=bucket, Key="b", Body=BYTES + b"!", ContentMD5=right)
    with refused("InvalidDigest", 400):
        s3.put_object(Bucket=bucket, Key="b", Body=BYTES, ContentMD5="not a digest")
    with refused("404", 404):
        s3.head_object(Bucket=bucket, Key="b")


@pytest.mark.parametrize(("algorithm", "checksum_type"), TYPES)
def test_a_multipart_upload_has_a_checksum_of_its_type(
    s3: Any, bucket: str, algorithm: str, checksum_type: str
) -> None:
    name = {"Bucket": bucket, "Key": "a"}
    created = s3.create_multipart_upload(
        **name, ChecksumAlgorithm=algorithm, ChecksumType=checksum_type
    )
    assert (created["ChecksumAlgorithm"], created["ChecksumType"]) == (algorithm, checksum_type)
    upload = {**name, "UploadId": created["UploadId"]}
    parts = []
    for number, body in enumerate(PARTS, 1):
        part = s3.upload_part(**upload, PartNumber=number, Body=body, ChecksumAlgorithm=algorithm)
        kept = {field: part[field] for field in ("ETag", name_of(algorithm))}
        parts.append({"PartNumber": number, **kept})
    done = s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    assert done["ChecksumType"] == checksum_type
    head = s3.head_object(**name, ChecksumMode="ENABLED")
    assert head["ChecksumType"] == checksum_type
    assert head[name_of(algorithm)] == done[name_of(algorithm)]
    assert head[name_of(algorithm)].endswith("-2") == (checksum_type == "COMPOSITE")
    body = s3.get_object(**name, ChecksumMode="ENABLED")["Body"].read()
    assert body == b"".join(PARTS)
    if checksum_type == "FULL_OBJECT":
        whole = s3.put_object(**name, Body=body, ChecksumAlgorithm=algorithm)
        assert whole[name_of(algorithm)] == done[name_of(algorithm)]


@pytest.mark.parametrize(
    ("algorithm", "checksum_type"),
    [("SHA1", "FULL_OBJECT"), ("SHA256", "FULL_OBJECT"), ("CRC64NVME", "COMPOSITE")],
)
def test_a_checksum_type_that_its_algorithm_does_not_have_is_refused(
    s3: Any, bucket: str, algorithm: str, checksum_type: str
) -> None:
    with refused("InvalidRequest", 400):
        s3.create_multipart_upload(
            Bucket=bucket, Key="a", ChecksumAlgorithm=algorithm, ChecksumType=checksum_type
        )


def test_a_multipart_upload_with_a_wrong_checksum_of_the_whole_is_refused(
    s3: Any, bucket: str
) -> None:
    name = {"Bucket": bucket, "Key": "a"}
    created = s3.create_multipart_upload(
        **name, ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT"
    )
    upload = {**name, "UploadId": created["UploadId"]}
    part = s3.upload_part(**upload, PartNumber=1, Body=BYTES, ChecksumAlgorithm="CRC32")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    with refused("BadDigest", 400):
        s3.complete_multipart_upload(
            **upload, MultipartUpload=parts, ChecksumCRC32="AAAAAA==", ChecksumType="FULL_OBJECT"
        )
    with refused("404", 404):
        s3.head_object(**name)


def test_copy_object_can_have_another_checksum_than_its_source(s3: Any, bucket: str) -> None:
    source = {"Bucket": bucket, "Key": "a"}
    s3.put_object(**source, Body=BYTES, ChecksumAlgorithm="CRC32")
    copied = s3.copy_object(Bucket=bucket, Key="b", CopySource=source, ChecksumAlgorithm="SHA256")
    digest = base64.b64encode(hashlib.sha256(BYTES).digest()).decode()
    assert copied["CopyObjectResult"]["ChecksumSHA256"] == digest
    head = s3.head_object(Bucket=bucket, Key="b", ChecksumMode="ENABLED")
    assert head["ChecksumSHA256"] == digest
