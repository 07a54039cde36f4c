"""boto3: uploads in parts, by its transfer manager and by hand."""

import io
from pathlib import Path
from typing import Any

import pytest
from boto3.s3.transfer import TransferConfig

from refused import refused
from sample import MEBIBYTE, sample_bytes

PART_BYTES = 5 * MEBIBYTE
BYTES = sample_bytes(2 * PART_BYTES + 12_345, 5)
SPLIT = [BYTES[:PART_BYTES], BYTES[PART_BYTES : 2 * PART_BYTES], BYTES[2 * PART_BYTES :]]


def create(s3: Any, bucket: str, key: str = "a") -> dict[str, Any]:
    """An upload, by the parameters that name it."""
    upload_id = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    return {"Bucket": bucket, "Key": key, "UploadId": upload_id}


def put_part(s3: Any, upload: dict[str, Any], number: int, body: bytes) -> dict[str, Any]:
    """A part, as completing the upload names it."""
    etag = s3.upload_part(**upload, PartNumber=number, Body=body)["ETag"]
    return {"PartNumber": number, "ETag": etag}


def put_parts(s3: Any, upload: dict[str, Any]) -> dict[str, Any]:
    return {"Parts": [put_part(s3, upload, number, body) for number, body in enumerate(SPLIT, 1)]}


@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("size_bytes", [0, PART_BYTES - 1, PART_BYTES, len(BYTES)])
def test_upload_file_and_download_file_move_a_file(
    s3: Any, bucket: str, tmp_path: Path, size_bytes: int, threads: int
) -> None:
    config = TransferConfig(
        multipart_threshold=PART_BYTES,
        multipart_chunksize=PART_BYTES,
        max_concurrency=threads,
        use_threads=threads > 1,
    )
    up, down = tmp_path / "up", tmp_path / "down"
    up.write_bytes(BYTES[:size_bytes])
    s3.upload_file(str(up), bucket, "a", Config=config, ExtraArgs={"Metadata": {"a": "1"}})
    s3.download_file(bucket, "a", str(down), Config=config)
    assert down.read_bytes() == BYTES[:size_bytes]
    head = s3.head_object(Bucket=bucket, Key="a")
    assert head["Metadata"] == {"a": "1"}
    assert head["ETag"].endswith('-3"') == (size_bytes == len(BYTES))


def test_upload_fileobj_sends_a_stream_of_unknown_length(s3: Any, bucket: str) -> None:
    class Stream(io.RawIOBase):
        source = io.BytesIO(BYTES)

        def readable(self) -> bool:
            return True

        def read(self, size: int = -1) -> bytes:
            return self.source.read(size)

    config = TransferConfig(multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES)
    s3.upload_fileobj(Stream(), bucket, "a", Config=config)
    into = io.BytesIO()
    s3.download_fileobj(bucket, "a", into)
    assert into.getvalue() == BYTES


def test_copy_moves_an_object_in_parts_on_the_server(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="source", Body=BYTES)
    config = TransferConfig(multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES)
    s3.copy({"Bucket": bucket, "Key": "source"}, bucket, "target", Config=config)
    target = s3.get_object(Bucket=bucket, Key="target")
    assert target["Body"].read() == BYTES
    assert target["ETag"].endswith('-3"')


def test_parts_are_listed_page_by_page_and_completed(s3: Any, bucket: str) -> None:
    upload = create(s3, bucket)
    parts = put_parts(s3, upload)
    pages = s3.get_paginator("list_parts").paginate(**upload, PaginationConfig={"PageSize": 2})
    listed = [part for page in pages for part in page["Parts"]]
    assert [part["ETag"] for part in listed] == [part["ETag"] for part in parts["Parts"]]
    assert [part["Size"] for part in listed] == [len(body) for body in SPLIT]
    done = s3.complete_multipart_upload(**upload, MultipartUpload=parts)
    assert (done["Bucket"], done["Key"]) == (bucket, "a")
    assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == BYTES
    with refused("NoSuchUpload", 404):
        s3.list_parts(**upload)


def test_parts_may_come_in_any_order_be_replaced_and_be_left_out(s3: Any, bucket: str) -> None:
    upload = create(s3, bucket)
    last = put_part(s3, upload, 9, SPLIT[2])
    put_part(s3, upload, 5, SPLIT[0])
    put_part(s3, upload, 2, b"replaced")
    first = put_part(s3, upload, 2, SPLIT[1])
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [first, last]})
    assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == SPLIT[1] + SPLIT[2]


def test_a_part_is_read_by_its_number(s3: Any, bucket: str) -> None:
    upload = create(s3, bucket)
    s3.complete_multipart_upload(**upload, MultipartUpload=put_parts(s3, upload))
    name = {"Bucket": bucket, "Key": "a"}
    second = s3.get_object(**name, PartNumber=2)
    assert second["Body"].read() == SPLIT[1]
    assert second["PartsCount"] == 3
    place = f"bytes {PART_BYTES}-{2 * PART_BYTES - 1}/{len(BYTES)}"
    assert second["ContentRange"] == place
    assert s3.head_object(**name, PartNumber=3)["ContentLength"] == len(SPLIT[2])
    with refused("InvalidPartNumber", 416):
        s3.get_object(**name, PartNumber=4)


def test_upload_part_copy_takes_ranges_of_an_object(s3: Any, bucket: str) -> None:
    source = {"Bucket": bucket, "Key": "source of +parts"}
    s3.put_object(**source, Body=BYTES)
    upload = create(s3, bucket)
    ranges = [(0, PART_BYTES - 1), (PART_BYTES, len(BYTES) - 1)]
    parts = []
    for number, (first, last) in enumerate(ranges, 1):
        copied = s3.upload_part_copy(
            **upload, PartNumber=number, CopySource=source, CopySourceRange=f"bytes={first}-{last}"
        )
        parts.append({"PartNumber": number, "ETag": copied["CopyPartResult"]["ETag"]})
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == BYTES
    other = create(s3, bucket)
    with refused("InvalidArgument", 400):
        s3.upload_part_copy(
            **other,
            PartNumber=1,
            CopySource=source,
            CopySourceRange=f"bytes=0-{len(BYTES)}",
        )


def test_completing_holds_conditions_on_the_key(s3: Any, bucket: str) -> None:
    upload = create(s3, bucket)
    parts = {"Parts": [put_part(s3, upload, 1, b"of parts")]}
    etag = s3.put_object(Bucket=bucket, Key="a", Body=b"first")["ETag"]
    with refused("PreconditionFailed", 412):
        s3.complete_multipart_upload(**upload, MultipartUpload=parts, IfNoneMatch="*")
    with refused("PreconditionFailed", 412):
        s3.complete_multipart_upload(**upload, MultipartUpload=parts, IfMatch='"0"')
    s3.complete_multipart_upload(**upload, MultipartUpload=parts, IfMatch=etag)
    assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"of parts"
    fresh = create(s3, bucket, "fresh")
    parts = {"Parts": [put_part(s3, fresh, 1, b"fresh")]}
    s3.complete_multipart_upload(**fresh, MultipartUpload=parts, IfNoneMatch="*")


def test_completing_names_what_is_wrong_with_the_parts(s3: Any, bucket: str) -> None:
    upload = create(s3, bucket)
    small = [put_part(s3, upload, number, b"small") for number in (1, 2)]
    with refused("EntityTooSmall", 400):
        s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": small})
    with refused("InvalidPartOrder", 400):
        s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": small[::-1]})
    for wrong in ({"PartNumber": 3, "ETag": small[0]["ETag"]}, {**small[0], "ETag": '"0"'}):
        with refused("InvalidPart", 400):
            s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [wrong]})
    with refused("MalformedXML", 400):
        s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": []})
    with refused("NoSuchUpload", 404):
        s3.complete_multipart_upload(
            **(upload | {"UploadId": "unknown"}), MultipartUpload={"Parts": small}
        )
    with refused("InvalidArgument", 400):
        s3.upload_part(**upload, PartNumber=10_001, Body=b"")


def test_unfinished_uploads_are_listed_and_aborted(s3: Any, bucket: str) -> None:
    keys = ["dir/a", "dir/a", "dir/b", "line\nbreak", "z"]
    uploads = [create(s3, bucket, key) for key in keys]
    paginator = s3.get_paginator("list_multipart_uploads")
    pages = paginator.paginate(Bucket=bucket, PaginationConfig={"PageSize": 2})
    listed = [upload for page in pages for upload in page["Uploads"]]
    assert [upload["Key"] for upload in listed] == keys
    assert {each["UploadId"] for each in listed} == {each["UploadId"] for each in uploads}
    rolled = s3.list_multipart_uploads(Bucket=bucket, Delimiter="/")
    assert [each["Prefix"] for each in rolled["CommonPrefixes"]] == ["dir/"]
    with refused("BucketNotEmpty", 409):
        s3.delete_bucket(Bucket=bucket)
    for upload in uploads:
        s3.abort_multipart_upload(**upload)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)
    with refused("NoSuchUpload", 404):
        s3.abort_multipart_upload(**(uploads[0] | {"UploadId": "unknown"}))
    s3.delete_bucket(Bucket=bucket)
