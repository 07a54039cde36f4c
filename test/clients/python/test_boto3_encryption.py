"""boto3: SSE-C, SSE-S3 and a bucket's default."""

import base64
import io
import urllib.request
from typing import Any

import pytest
from boto3.s3.transfer import TransferConfig

from refused import refused
from sample import sample_bytes

KEY, OTHER_KEY = b"k" * 32, bytes(range(32))
KEY_TEXT = base64.b64encode(KEY).decode()
SIZES = (0, 1_000, 65_536, 1_000_001)
# In parts of 5 MiB, three at a time.
PARTS = TransferConfig(multipart_threshold=6_000_000, multipart_chunksize=5 * 2**20)
AES256 = {"SSEAlgorithm": "AES256"}


def sse_c(key: bytes, of: str = "") -> dict[str, Any]:
    """`of` "CopySource" for the source of a copy; the client adds the MD5."""
    return {f"{of}SSECustomerAlgorithm": "AES256", f"{of}SSECustomerKey": key}


def read(s3: Any, bucket: str, key: str, **ask: Any) -> bytes:
    body: bytes = s3.get_object(Bucket=bucket, Key=key, **ask)["Body"].read()
    return body


@pytest.mark.parametrize("size", SIZES)
def test_an_object_under_a_key_is_read_under_that_key_alone(
    s3: Any, bucket: str, size: int
) -> None:
    name, body = {"Bucket": bucket, "Key": "a b"}, sample_bytes(size)
    put = s3.put_object(**name, Body=body, **sse_c(KEY))
    head = s3.head_object(**name, **sse_c(KEY))
    assert put["SSECustomerAlgorithm"] == head["SSECustomerAlgorithm"] == "AES256"
    assert put["SSECustomerKeyMD5"] == head["SSECustomerKeyMD5"]
    assert read(s3, bucket, "a b", **sse_c(KEY)) == body
    with refused("InvalidRequest", 400):
        read(s3, bucket, "a b")
    with refused("AccessDenied", 403):
        read(s3, bucket, "a b", **sse_c(OTHER_KEY))
    with refused("403", 403):
        s3.head_object(**name, **sse_c(OTHER_KEY))


def test_ranges(s3: Any, bucket: str) -> None:
    body = sample_bytes(300_000)
    s3.put_object(Bucket=bucket, Key="a", Body=body, **sse_c(KEY))
    for first, last in ((0, 0), (65_535, 65_536), (100_000, 299_999)):
        ask = {"Range": f"bytes={first}-{last}", **sse_c(KEY)}
        assert read(s3, bucket, "a", **ask) == body[first : last + 1]


def test_upload_and_download_in_parts(s3: Any, bucket: str) -> None:
    body = sample_bytes(17_000_000)
    s3.upload_fileobj(io.BytesIO(body), bucket, "a", ExtraArgs=sse_c(KEY), Config=PARTS)
    head = s3.head_object(Bucket=bucket, Key="a", PartNumber=1, **sse_c(KEY))
    assert (head["PartsCount"], head["ContentLength"]) == (4, 5 * 2**20)
    back = io.BytesIO()
    s3.download_fileobj(bucket, "a", back, ExtraArgs=sse_c(KEY), Config=PARTS)
    assert back.getvalue() == body
    with refused("400", 400):
        s3.download_fileobj(bucket, "a", io.BytesIO())


@pytest.mark.parametrize("size", (1_000, 17_000_000))
def test_managed_copies_change_the_key(s3: Any, bucket: str, size: int) -> None:
    """Larger ones by UploadPartCopy."""
    body, source = sample_bytes(size), {"Bucket": bucket, "Key": "a"}
    s3.upload_fileobj(io.BytesIO(body), bucket, "a", ExtraArgs=sse_c(KEY), Config=PARTS)
    args = sse_c(KEY, "CopySource") | sse_c(OTHER_KEY)
    s3.copy(source, bucket, "b", ExtraArgs=args, Config=PARTS)
    assert read(s3, bucket, "b", **sse_c(OTHER_KEY)) == body
    s3.copy(source, bucket, "plain", ExtraArgs=sse_c(KEY, "CopySource"), Config=PARTS)
    assert read(s3, bucket, "plain") == body
    again = {"Bucket": bucket, "Key": "plain"}
    s3.copy(again, bucket, "c", ExtraArgs=sse_c(OTHER_KEY), Config=PARTS)
    assert read(s3, bucket, "c", **sse_c(OTHER_KEY)) == body


def test_a_copy_onto_itself_changes_the_key(s3: Any, bucket: str) -> None:
    name, body = {"Bucket": bucket, "Key": "a"}, sample_bytes(300_000)
    s3.put_object(**name, Body=body, **sse_c(KEY))
    copied = s3.copy_object(
        **name, CopySource=name, **sse_c(KEY, "CopySource"), **sse_c(OTHER_KEY)
    )
    assert copied["SSECustomerAlgorithm"] == "AES256"
    assert read(s3, bucket, "a", **sse_c(OTHER_KEY)) == body
    with refused("AccessDenied", 403):
        read(s3, bucket, "a", **sse_c(KEY))


def test_a_presigned_url_takes_the_key_in_headers(s3: Any, bucket: str) -> None:
    name, body = {"Bucket": bucket, "Key": "a"}, sample_bytes(1_000)
    put = s3.put_object(**name, Body=body, **sse_c(KEY))
    url = s3.generate_presigned_url("get_object", Params=name | sse_c(KEY))
    if url.startswith("https:"):
        return  # urllib does not know the certificate.
    stem = "x-amz-server-side-encryption-customer"
    headers = {
        f"{stem}-algorithm": "AES256",
        f"{stem}-key": KEY_TEXT,
        f"{stem}-key-MD5": put["SSECustomerKeyMD5"],
    }
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as reply:
        assert reply.read() == body


def test_versions_tags_and_attributes(s3: Any, bucket: str) -> None:
    name = {"Bucket": bucket, "Key": "a"}
    enabled = {"Status": "Enabled"}
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=enabled)
    first = s3.put_object(**name, Body=b"first", Tagging="t=1", **sse_c(KEY))
    s3.put_object(**name, Body=b"second", **sse_c(OTHER_KEY))
    version = {"VersionId": first["VersionId"]}
    assert read(s3, bucket, "a", **version, **sse_c(KEY)) == b"first"
    assert read(s3, bucket, "a", **sse_c(OTHER_KEY)) == b"second"
    assert s3.get_object_tagging(**name, **version)["TagSet"] == [{"Key": "t", "Value": "1"}]
    wanted = {"ObjectAttributes": ["ObjectSize", "Checksum"]}
    # For this call alone the client takes the key as it goes over the wire.
    encoded = {
        "SSECustomerAlgorithm": "AES256",
        "SSECustomerKey": KEY_TEXT,
        "SSECustomerKeyMD5": first["SSECustomerKeyMD5"],
    }
    got = s3.get_object_attributes(**name, **version, **wanted, **encoded)
    assert got["ObjectSize"] == 5
    with refused("InvalidRequest", 400):
        s3.get_object_attributes(**name, **version, **wanted)


def test_sse_s3_is_read_without_a_key(s3: Any, bucket: str) -> None:
    body = sample_bytes(17_000_000)
    args = {"ServerSideEncryption": "AES256"}
    s3.upload_fileobj(io.BytesIO(body), bucket, "a", ExtraArgs=args, Config=PARTS)
    assert s3.head_object(Bucket=bucket, Key="a")["ServerSideEncryption"] == "AES256"
    assert read(s3, bucket, "a") == body
    with refused("NotImplemented", 501):
        s3.put_object(Bucket=bucket, Key="b", Body=b"1", ServerSideEncryption="aws:kms")


def test_a_bucket_encrypts_what_does_not_say(s3: Any, bucket: str) -> None:
    with refused("ServerSideEncryptionConfigurationNotFoundError", 404):
        s3.get_bucket_encryption(Bucket=bucket)
    rules = {"Rules": [{"ApplyServerSideEncryptionByDefault": AES256, "BucketKeyEnabled": False}]}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=rules)
    got = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]
    assert got == rules
    put = s3.put_object(Bucket=bucket, Key="a", Body=b"bytes")
    assert put["ServerSideEncryption"] == "AES256"
    s3.upload_fileobj(io.BytesIO(sample_bytes(7_000_000)), bucket, "b", Config=PARTS)
    assert s3.head_object(Bucket=bucket, Key="b")["ServerSideEncryption"] == "AES256"
    s3.delete_bucket_encryption(Bucket=bucket)
    assert "ServerSideEncryption" not in s3.put_object(Bucket=bucket, Key="c", Body=b"bytes")
    assert read(s3, bucket, "a") == b"bytes"
