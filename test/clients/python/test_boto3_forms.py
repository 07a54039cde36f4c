"""boto3: forms that it presigns, as browsers send them."""

from typing import Any

import pytest
from urllib3.filepost import encode_multipart_formdata

from door import Door
from sample import MEBIBYTE, ODD_KEYS, sample_bytes
from test_boto3_signing import send


def post(door: Door, form: Any, file: bytes, **more: str) -> tuple[int, bytes]:
    """Sends a form with a file, and with what a form has in its fields beside."""
    fields = {**form["fields"], **more, "file": ("name.txt", file, "text/plain")}
    body, content_type = encode_multipart_formdata(fields)
    return send(door, "POST", form["url"], body, **{"Content-Type": content_type})


@pytest.mark.parametrize("key", ["a", *ODD_KEYS], ids=ascii)
def test_a_presigned_form_puts(s3: Any, door: Door, bucket: str, key: str) -> None:
    form = s3.generate_presigned_post(bucket, key)
    assert post(door, form, b"posted") == (204, b"")
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == b"posted"


@pytest.mark.parametrize("size", [0, 70_000, 9 * MEBIBYTE])
def test_a_presigned_form_puts_a_file_of_any_size(
    s3: Any, door: Door, bucket: str, size: int
) -> None:
    form = s3.generate_presigned_post(bucket, "${filename}")
    assert post(door, form, sample_bytes(size))[0] == 204
    assert s3.get_object(Bucket=bucket, Key="name.txt")["Body"].read() == sample_bytes(size)


def test_a_presigned_form_says_what_a_put_says(s3: Any, door: Door, bucket: str) -> None:
    said = {
        "Content-Type": "text/html",
        "x-amz-meta-a": "1",
        "x-amz-server-side-encryption": "AES256",
        "success_action_status": "201",
    }
    conditions = [{name: value} for name, value in said.items()]
    form = s3.generate_presigned_post(bucket, "a", Fields=said, Conditions=conditions)
    status, answer = post(door, form, b"abc")
    assert status == 201
    assert b"<Key>a</Key><ETag>" in answer
    head = s3.head_object(Bucket=bucket, Key="a")
    assert (head["ContentType"], head["Metadata"]) == ("text/html", {"a": "1"})
    assert head["ServerSideEncryption"] == "AES256"


def test_a_presigned_form_holds_who_has_it_to_its_conditions(
    s3: Any, door: Door, bucket: str
) -> None:
    conditions = [["content-length-range", 2, 4], ["starts-with", "$Content-Type", "image/"]]
    form = s3.generate_presigned_post(bucket, "a", Conditions=conditions)
    image = {"Content-Type": "image/png"}
    for file, more, status, code in (
        (b"1", image, 400, b"EntityTooSmall"),
        (b"12345", image, 400, b"EntityTooLarge"),
        (b"123", {"Content-Type": "text/html"}, 403, b"AccessDenied"),
        (b"123", {**image, "acl": "private"}, 403, b"AccessDenied"),
        (b"123", {**image, "key": "b"}, 403, b"AccessDenied"),
        (b"123", {**image, "policy": "e30="}, 403, b"SignatureDoesNotMatch"),
    ):
        told = post(door, form, file, **more)
        assert (told[0], b"<Code>%s</Code>" % code in told[1]) == (status, True)
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
    assert post(door, form, b"123", **image)[0] == 204


def test_an_expired_form_is_refused(s3: Any, door: Door, bucket: str) -> None:
    status, answer = post(door, s3.generate_presigned_post(bucket, "a", ExpiresIn=-60), b"1")
    assert (status, b"Policy expired." in answer) == (403, True)
