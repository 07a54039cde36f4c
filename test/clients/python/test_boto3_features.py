"""boto3: tags, lifecycle rules, attributes of objects."""

import datetime
import io
import re
from typing import Any

from refused import refused
from sample import sample_bytes

PART_BYTES = 5 * 2**20


def tags(**pairs: str) -> dict[str, list[dict[str, str]]]:
    return {"TagSet": [{"Key": key, "Value": value} for key, value in pairs.items()]}


def test_object_tags_are_put_with_the_object_and_after_it(s3: Any, bucket: str) -> None:
    name = {"Bucket": bucket, "Key": "a"}
    s3.put_object(**name, Body=b"1", Tagging="colour=light+blue&size=1")
    assert s3.get_object_tagging(**name)["TagSet"] == tags(colour="light blue", size="1")["TagSet"]
    assert s3.head_object(**name)["TagCount"] == 2
    s3.put_object_tagging(**name, Tagging=tags(only="één"))
    assert s3.get_object_tagging(**name)["TagSet"] == tags(only="één")["TagSet"]
    s3.delete_object_tagging(**name)
    assert s3.get_object_tagging(**name)["TagSet"] == []


def test_object_tags_are_of_one_version(s3: Any, bucket: str) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    name = {"Bucket": bucket, "Key": "a"}
    one = s3.put_object(**name, Body=b"1", Tagging="n=1")["VersionId"]
    s3.put_object(**name, Body=b"2", Tagging="n=2")
    s3.put_object_tagging(**name, VersionId=one, Tagging=tags(n="one"))
    got = s3.get_object_tagging(**name, VersionId=one)
    assert (got["TagSet"], got["VersionId"]) == (tags(n="one")["TagSet"], one)
    assert s3.get_object_tagging(**name)["TagSet"] == tags(n="2")["TagSet"]


def test_a_copy_takes_tags_over_or_replaces_them(s3: Any, bucket: str) -> None:
    source = {"Bucket": bucket, "Key": "a"}
    s3.put_object(**source, Body=b"1", Tagging="n=1")
    s3.copy_object(Bucket=bucket, Key="b", CopySource=source)
    replace = {"TaggingDirective": "REPLACE", "Tagging": "n=3"}
    s3.copy_object(Bucket=bucket, Key="c", CopySource=source, **replace)
    got = [s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"] for key in "bc"]
    assert got == [tags(n="1")["TagSet"], tags(n="3")["TagSet"]]


def test_bucket_tags(s3: Any, bucket: str) -> None:
    with refused("NoSuchTagSet", 404):
        s3.get_bucket_tagging(Bucket=bucket)
    s3.put_bucket_tagging(Bucket=bucket, Tagging=tags(team="ml"))
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == tags(team="ml")["TagSet"]
    s3.delete_bucket_tagging(Bucket=bucket)
    with refused("NoSuchTagSet", 404):
        s3.get_bucket_tagging(Bucket=bucket)


def test_eleven_object_tags_are_refused(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    eleven = tags(**{f"k{number}": "v" for number in range(11)})
    with refused("BadRequest", 400):
        s3.put_object_tagging(Bucket=bucket, Key="a", Tagging=eleven)


RULES = [
    {
        "ID": "logs & more",
        "Status": "Enabled",
        "Filter": {"Prefix": "logs/"},
        "Expiration": {"Days": 3},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
    },
    {
        "ID": "tagged",
        "Status": "Disabled",
        "Filter": {
            "And": {
                "Prefix": "a/",
                "Tags": [{"Key": "k", "Value": "v"}],
                "ObjectSizeGreaterThan": 10,
            }
        },
        "NoncurrentVersionExpiration": {"NoncurrentDays": 2, "NewerNoncurrentVersions": 5},
    },
]


def test_lifecycle_rules_come_back_as_they_were_put(s3: Any, bucket: str) -> None:
    with refused("NoSuchLifecycleConfiguration", 404):
        s3.get_bucket_lifecycle_configuration(Bucket=bucket)
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": RULES})
    assert s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"] == RULES
    s3.delete_bucket_lifecycle(Bucket=bucket)
    with refused("NoSuchLifecycleConfiguration", 404):
        s3.get_bucket_lifecycle_configuration(Bucket=bucket)


def test_answers_tell_when_an_object_expires(s3: Any, bucket: str) -> None:
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": RULES})
    name = {"Bucket": bucket, "Key": "logs/a"}
    put = s3.put_object(**name, Body=b"1")["Expiration"]
    match = re.fullmatch(r'expiry-date="(.*) GMT", rule-id="logs%20%26%20more"', put)
    assert match is not None, put
    date = datetime.datetime.strptime(match[1], "%a, %d %b %Y %H:%M:%S")
    modified = s3.head_object(**name)["LastModified"].replace(tzinfo=None)
    days = datetime.timedelta(days=1)
    assert 3 * days <= date - modified <= 4 * days
    assert date.time() == datetime.time(0)
    assert s3.head_object(**name)["Expiration"] == put
    assert s3.get_object(**name)["Expiration"] == put
    assert "Expiration" not in s3.put_object(Bucket=bucket, Key="kept", Body=b"1")


def test_attributes_of_an_object_that_was_put_whole(s3: Any, bucket: str) -> None:
    name = {"Bucket": bucket, "Key": "a"}
    put = s3.put_object(**name, Body=b"hello", ChecksumAlgorithm="SHA256")
    wanted = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]
    got = s3.get_object_attributes(**name, ObjectAttributes=wanted)
    assert got["ETag"] == put["ETag"].strip('"')
    assert got["Checksum"]["ChecksumSHA256"] == put["ChecksumSHA256"]
    assert (got["ObjectSize"], got["StorageClass"]) == (5, "STANDARD")
    assert "ObjectParts" not in got


def test_attributes_name_the_parts_page_by_page(s3: Any, bucket: str) -> None:
    name = {"Bucket": bucket, "Key": "a"}
    upload = s3.create_multipart_upload(**name, ChecksumAlgorithm="SHA256")["UploadId"]
    parts = []
    for number, size in enumerate((PART_BYTES, PART_BYTES, 1_000), 1):
        ask = {"UploadId": upload, "PartNumber": number, "ChecksumAlgorithm": "SHA256"}
        part = s3.upload_part(**name, **ask, Body=io.BytesIO(sample_bytes(size, number)))
        fields = {"ETag": part["ETag"], "ChecksumSHA256": part["ChecksumSHA256"]}
        parts.append({"PartNumber": number, **fields})
    whole = {"MultipartUpload": {"Parts": parts}, "UploadId": upload}
    s3.complete_multipart_upload(**name, **whole)
    ask = {**name, "ObjectAttributes": ["ObjectParts", "ObjectSize", "Checksum"]}
    first = s3.get_object_attributes(**ask, MaxParts=2)
    second = s3.get_object_attributes(
        **ask, PartNumberMarker=first["ObjectParts"]["NextPartNumberMarker"]
    )
    assert first["ObjectSize"] == 2 * PART_BYTES + 1_000
    assert first["Checksum"]["ChecksumType"] == "COMPOSITE"
    assert first["ObjectParts"]["TotalPartsCount"] == 3
    assert first["ObjectParts"]["IsTruncated"] is True
    listed = [*first["ObjectParts"]["Parts"], *second["ObjectParts"]["Parts"]]
    assert [(each["PartNumber"], each["Size"]) for each in listed] == [
        (1, PART_BYTES),
        (2, PART_BYTES),
        (3, 1_000),
    ]
    assert [each["ChecksumSHA256"] for each in listed] == [part["ChecksumSHA256"] for part in parts]
