"""boto3: lists of objects and of buckets."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from door import Door
from refused import refused
from sample import ODD_KEYS
from server import Server

KEYS = sorted(f"dir{number % 5}/{number:04}" for number in range(2_500))


@pytest.fixture(scope="session")
def filled() -> dict[Server, str]:
    return {}


@pytest.fixture
def full(door: Door, filled: dict[Server, str]) -> str:
    """A bucket of 2,500 keys in five directories: one for each server, since filling it is slow."""
    if door.server not in filled:
        bucket = door.new_bucket()
        s3 = door.client(max_pool_connections=8)
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda key: s3.put_object(Bucket=bucket, Key=key, Body=b"1"), KEYS))
        filled[door.server] = bucket
    return filled[door.server]


@pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2"])
@pytest.mark.parametrize("page_size", [1_000, 999])
def test_every_key_is_listed_once_and_in_order(
    s3: Any, full: str, operation: str, page_size: int
) -> None:
    paginator = s3.get_paginator(operation)
    pages = list(paginator.paginate(Bucket=full, PaginationConfig={"PageSize": page_size}))
    assert [each["Key"] for page in pages for each in page["Contents"]] == KEYS
    assert [page["IsTruncated"] for page in pages] == [True, True, False]


@pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2"])
def test_a_delimiter_rolls_up_what_follows_it(s3: Any, full: str, operation: str) -> None:
    paginator = s3.get_paginator(operation)
    pages = paginator.paginate(Bucket=full, Delimiter="/", PaginationConfig={"PageSize": 2})
    prefixes = [each["Prefix"] for page in pages for each in page.get("CommonPrefixes", [])]
    assert prefixes == [f"dir{number}/" for number in range(5)]
    inside = getattr(s3, operation)(Bucket=full, Prefix="dir3/", Delimiter="/")
    assert len(inside["Contents"]) == 500
    assert "CommonPrefixes" not in inside
    long = getattr(s3, operation)(Bucket=full, Prefix="dir3/0", Delimiter="00")
    assert [each["Prefix"] for each in long["CommonPrefixes"]] == ["dir3/000"]


def test_start_after_and_max_keys_bound_the_list(s3: Any, full: str) -> None:
    page = s3.list_objects_v2(Bucket=full, StartAfter="dir4/2490", MaxKeys=2)
    assert [each["Key"] for each in page["Contents"]] == ["dir4/2494", "dir4/2499"]
    assert (page["KeyCount"], page["MaxKeys"], page["IsTruncated"]) == (2, 2, False)
    assert page["StartAfter"] == "dir4/2490"
    none = s3.list_objects_v2(Bucket=full, MaxKeys=0)
    assert (none["KeyCount"], none["IsTruncated"]) == (0, False)
    many = s3.list_objects_v2(Bucket=full, MaxKeys=5_000)
    assert (many["KeyCount"], many["MaxKeys"]) == (1_000, 1_000)


def test_a_marker_need_not_be_a_key(s3: Any, full: str) -> None:
    page = s3.list_objects(Bucket=full, Marker="dir4/249", MaxKeys=1)
    assert [each["Key"] for each in page["Contents"]] == ["dir4/2494"]
    assert page["Marker"] == "dir4/249"


def test_the_owner_is_listed_when_asked_for(s3: Any, full: str) -> None:
    asked = s3.list_objects_v2(Bucket=full, MaxKeys=1, FetchOwner=True)
    assert asked["Contents"][0]["Owner"]["ID"]
    assert "Owner" not in s3.list_objects_v2(Bucket=full, MaxKeys=1)["Contents"][0]
    assert s3.list_objects(Bucket=full, MaxKeys=1)["Contents"][0]["Owner"]["ID"]


@pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2"])
def test_odd_keys_are_listed_by_their_bytes(s3: Any, bucket: str, operation: str) -> None:
    for key in ODD_KEYS:
        s3.put_object(Bucket=bucket, Key=key, Body=b"1")
    ordered = sorted(ODD_KEYS, key=str.encode)
    pages = s3.get_paginator(operation).paginate(Bucket=bucket, PaginationConfig={"PageSize": 4})
    assert [each["Key"] for page in pages for each in page["Contents"]] == ordered
    for key in ODD_KEYS:
        found = getattr(s3, operation)(Bucket=bucket, Prefix=key, EncodingType="url")
        assert len(found["Contents"]) == 1


def test_a_continuation_token_of_nobody_is_refused(s3: Any, bucket: str) -> None:
    with refused("InvalidArgument", 400):
        s3.list_objects_v2(Bucket=bucket, ContinuationToken="made up")


def test_buckets_are_created_found_listed_and_deleted(s3: Any, door: Door) -> None:
    name = door.new_bucket()
    head = s3.head_bucket(Bucket=name)
    assert head["BucketRegion"]
    assert "LocationConstraint" in s3.get_bucket_location(Bucket=name)
    listed = s3.list_buckets(Prefix=name, MaxBuckets=1)["Buckets"]
    assert [bucket["Name"] for bucket in listed] == [name]
    s3.delete_bucket(Bucket=name)
    with refused("404", 404):
        s3.head_bucket(Bucket=name)
    with refused("NoSuchBucket", 404):
        s3.delete_bucket(Bucket=name)


def test_buckets_are_listed_page_by_page(s3: Any, door: Door) -> None:
    names = [f"paged-{door.name}-{number}" for number in range(5)]
    for name in names:
        s3.create_bucket(Bucket=name)
    paginator = s3.get_paginator("list_buckets")
    pages = paginator.paginate(Prefix=f"paged-{door.name}-", PaginationConfig={"PageSize": 2})
    listed = [bucket["Name"] for page in pages for bucket in page.get("Buckets", [])]
    assert listed == names


def test_create_bucket_holds_the_rules_of_names(s3: Any, bucket: str) -> None:
    s3.create_bucket(Bucket=bucket)
    for wrong in ("ab", "-hyphen", "hyphen-", "xn--reserved"):
        with refused("InvalidBucketName", 400):
            s3.create_bucket(Bucket=wrong)


def test_create_bucket_takes_a_location(door: Door) -> None:
    s3 = door.client(region="eu-west-1")
    name = f"located-{door.name}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    assert s3.head_bucket(Bucket=name)["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_delete_bucket_refuses_a_bucket_with_objects(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    with refused("BucketNotEmpty", 409):
        s3.delete_bucket(Bucket=bucket)
    s3.delete_object(Bucket=bucket, Key="a")
    s3.delete_bucket(Bucket=bucket)
