"""boto3 on volumes: directories that other programs work in while S3 serves them."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from boto3.s3.transfer import TransferConfig

from command import run
from control import Control
from door import Door
from refused import refused
from sample import MEBIBYTE, ODD_FILES, sample_bytes
from server import ROOT, Server
from test_boto3_signing import send
from tree import contents, make_tree, write
from volume import Volume, served

PART_BYTES = 5 * MEBIBYTE
FILES = 2_500
IN_PARTS = TransferConfig(multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES)


@pytest.fixture(scope="module")
def control(http_server: Server) -> Control:
    return Control(http_server)


@pytest.fixture
def volume(control: Control, tmp_path: Path) -> Iterator[Volume]:
    with served(tmp_path / "volume", control) as volume:
        yield volume


@pytest.fixture(scope="module")
def s3(http_path: Door) -> Any:
    return http_path.client()


def make_files(root: Path) -> set[str]:
    """2,500 of them, more than two pages; every second in one of fifty directories."""
    names = {f"{n:04}.bin" if n % 2 else f"d{n % 100:02}/{n:04}.bin" for n in range(FILES)}
    # The order of bytes is not that of directories.
    names |= {"d02-before", "d02.between", "d020after", "d02/\U0001f389", "d02/\ue000"}
    for name in names:
        write(root / name, name.encode())
    return names


def in_byte_order(keys: set[str]) -> list[str]:
    return sorted(keys, key=str.encode)


@pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2"])
def test_the_paginator_lists_files_made_outside_s3(
    s3: Any, volume: Volume, operation: str
) -> None:
    names = make_files(volume.root)
    pages = s3.get_paginator(operation).paginate(Bucket=volume.id)
    listed = [each for page in pages for each in page["Contents"]]
    assert [each["Key"] for each in listed] == in_byte_order(names)
    assert all(each["Size"] == len(each["Key"].encode()) for each in listed)
    assert all(each["ETag"].endswith('-0"') for each in listed)
    again = s3.get_paginator(operation).paginate(Bucket=volume.id)
    assert [each["ETag"] for page in again for each in page["Contents"]] == [
        each["ETag"] for each in listed
    ]


@pytest.mark.parametrize("page_size", [7, 1_000])
def test_the_paginator_with_a_delimiter_lists_one_directory(
    s3: Any, volume: Volume, page_size: int
) -> None:
    names = make_files(volume.root)
    (volume.root / "d02.none").mkdir()
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=volume.id, Delimiter="/", PaginationConfig={"PageSize": page_size}
    )
    keys, prefixes = [], []
    for page in pages:
        keys += [each["Key"] for each in page.get("Contents", [])]
        prefixes += [each["Prefix"] for each in page.get("CommonPrefixes", [])]
    assert keys == in_byte_order({name for name in names if "/" not in name})
    directories = {name.split("/")[0] + "/" for name in names if "/" in name}
    assert prefixes == in_byte_order(directories | {"d02.none/"})


def test_pages_hold_every_file_that_stays_while_others_come_and_go(
    s3: Any, volume: Volume
) -> None:
    names = make_files(volume.root)
    over = threading.Event()

    def disturb() -> None:
        number = 0
        while not over.is_set():
            number += 1
            coming = write(volume.root / f"d{number % 50 * 2:02}" / f"new {number}", b"1")
            coming.rename(volume.root / f"new {number}")
            (volume.root / f"new {number}").unlink()

    disturbing = threading.Thread(target=disturb)
    disturbing.start()
    try:
        pages = s3.get_paginator("list_objects_v2").paginate(
            Bucket=volume.id, PaginationConfig={"PageSize": 100}
        )
        keys = [each["Key"] for page in pages for each in page.get("Contents", [])]
    finally:
        over.set()
        disturbing.join()
    assert [key for key in keys if "new " not in key] == in_byte_order(names)


def test_an_empty_directory_is_an_object_and_goes_by_its_key(s3: Any, volume: Volume) -> None:
    (volume.root / "empty" / "deeper").mkdir(parents=True)
    [listed] = s3.list_objects_v2(Bucket=volume.id)["Contents"]
    assert (listed["Key"], listed["Size"]) == ("empty/deeper/", 0)
    s3.put_object(Bucket=volume.id, Key="made/", Body=b"")
    assert (volume.root / "made").is_dir()
    for key in ("made/", "empty/deeper/", "empty/"):
        s3.delete_object(Bucket=volume.id, Key=key)
    assert "Contents" not in s3.list_objects_v2(Bucket=volume.id)
    assert not (volume.root / "empty").exists()


@pytest.mark.parametrize("key", ODD_FILES, ids=ascii)
def test_a_key_is_the_path(s3: Any, volume: Volume, key: str) -> None:
    s3.put_object(Bucket=volume.id, Key=key, Body=b"from S3", Metadata={"a": "1"})
    assert (volume.root / key).read_bytes() == b"from S3"
    assert s3.head_object(Bucket=volume.id, Key=key)["Metadata"] == {"a": "1"}
    (volume.root / key).write_bytes(b"from a program")
    got = s3.get_object(Bucket=volume.id, Key=key)
    assert (got["Body"].read(), got["Metadata"]) == (b"from a program", {})
    s3.delete_object(Bucket=volume.id, Key=key)
    assert not (volume.root / key).exists()


def test_files_made_outside_s3_are_objects_at_once(s3: Any, volume: Volume) -> None:
    etags = []
    for body in (b"one", b"other", b"three"):
        write(volume.root / "log", body)
        got = s3.get_object(Bucket=volume.id, Key="log")
        assert got["Body"].read() == body
        [listed] = s3.list_objects_v2(Bucket=volume.id)["Contents"]
        assert listed["ETag"] == got["ETag"]
        etags.append(got["ETag"])
    assert len(set(etags)) == 3
    (volume.root / "log").unlink()
    with refused("NoSuchKey", 404):
        s3.get_object(Bucket=volume.id, Key="log")


@pytest.mark.parametrize("size_bytes", [0, PART_BYTES, 4 * PART_BYTES + 12_345])
def test_upload_file_and_download_file_move_a_file(
    s3: Any, volume: Volume, tmp_path: Path, size_bytes: int
) -> None:
    body = sample_bytes(size_bytes)
    up = write(tmp_path / "up", body)
    extra = {"ContentType": "application/x-model", "Metadata": {"step": "7"}}
    s3.upload_file(str(up), volume.id, "models/a b", ExtraArgs=extra, Config=IN_PARTS)
    assert (volume.root / "models" / "a b").read_bytes() == body
    s3.download_file(volume.id, "models/a b", str(tmp_path / "down"), Config=IN_PARTS)
    assert (tmp_path / "down").read_bytes() == body
    head = s3.head_object(Bucket=volume.id, Key="models/a b")
    assert (head["ContentType"], head["Metadata"]) == ("application/x-model", {"step": "7"})
    assert volume.hidden_bytes() == 0


def test_a_file_made_outside_s3_is_downloaded_in_ranges(
    s3: Any, volume: Volume, tmp_path: Path
) -> None:
    body = sample_bytes(3 * PART_BYTES + 1)
    write(volume.root / "large", body)
    s3.download_file(volume.id, "large", str(tmp_path / "down"), Config=IN_PARTS)
    assert (tmp_path / "down").read_bytes() == body


@pytest.mark.parametrize("key", ["plain", *ODD_FILES], ids=ascii)
def test_presigned_urls_put_and_get(s3: Any, http_path: Door, volume: Volume, key: str) -> None:
    name = {"Bucket": volume.id, "Key": key}
    put = s3.generate_presigned_url("put_object", Params=name, ExpiresIn=60)
    assert send(http_path, "PUT", put, b"presigned")[0] == 200
    assert (volume.root / key).read_bytes() == b"presigned"
    get = s3.generate_presigned_url("get_object", Params=name, ExpiresIn=60)
    assert send(http_path, "GET", get) == (200, b"presigned")
    (volume.root / key).unlink()
    assert send(http_path, "GET", get)[0] == 404


def test_a_rename_moves_a_file_and_a_whole_directory(s3: Any, volume: Volume) -> None:
    tree = make_tree(volume.root / "a")
    before = contents(tree)
    inode = (tree / "large").stat().st_ino
    s3.rename_object(Bucket=volume.id, Key="b b/", RenameSource=quote(f"/{volume.id}/a/"))
    assert contents(volume.root / "b b") == before
    assert not tree.exists()
    large = quote(f"/{volume.id}/b b/large")
    s3.rename_object(Bucket=volume.id, Key="moved", RenameSource=large)
    assert (volume.root / "moved").stat().st_ino == inode
    with refused("PreconditionFailed", 412):
        s3.rename_object(
            Bucket=volume.id,
            Key="moved",
            RenameSource=quote(f"/{volume.id}/b b/empty"),
            DestinationIfNoneMatch="*",
        )


def test_delete_objects_removes_files_and_directories(s3: Any, volume: Volume) -> None:
    make_tree(volume.root)
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=volume.id)["Contents"]]
    objects = [{"Key": key} for key in [*keys, "absent"]]
    told = s3.delete_objects(Bucket=volume.id, Delete={"Objects": objects})
    assert ("Errors" in told, len(told["Deleted"])) == (False, len(keys) + 1)
    assert volume.files() == []


def test_a_volume_is_no_bucket_to_make_or_delete(s3: Any, volume: Volume) -> None:
    write(volume.root / "file", b"bytes")
    # As AWS answers in us-east-1 whose bucket it is; elsewhere that it is theirs.
    s3.create_bucket(Bucket=volume.id)
    with refused("NotImplemented", 501):
        s3.delete_bucket(Bucket=volume.id)
    assert s3.get_object(Bucket=volume.id, Key="file")["Body"].read() == b"bytes"
    assert volume.id in [each["Name"] for each in s3.list_buckets()["Buckets"]]


NODE = ROOT / "node_modules" / ".bin" / "node"


def test_a_key_pair_that_clients_have_already_signs_for_a_volume(
    http_path: Door, control: Control, tmp_path: Path
) -> None:
    access_key_id = "user_2zQxYtR8sKbN4mVw1LcHd7PeGf"
    secret = "rps_0A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p"
    control("POST", "/v1/lode/user", {"uid": "mover"})
    control.allow("coreweave/mover", "mover", ["s3:*"])
    output = run(
        *(NODE, ROOT / "bin" / "lode", "key", "create", "--user", "mover"),
        *("--access-key-id", access_key_id, "--secret-from-file", "-"),
        home=tmp_path,
        environment={
            "LODE_ADMIN_URL": http_path.server.admin_endpoint,
            "LODE_ADMIN_TOKEN": control.token,
        },
        stdin=f"{secret}\n".encode(),
    )
    assert access_key_id in output
    assert secret not in output
    with served(tmp_path / "volume", control, location="EU-RO-1") as volume:
        key = {"access_key_id": access_key_id, "secret": secret}
        # They sign for the data centre in either case.
        for region in ("EU-RO-1", "eu-ro-1"):
            s3 = http_path.client(region=region, **key)
            s3.put_object(Bucket=volume.id, Key=region, Body=b"bytes")
            assert s3.get_object(Bucket=volume.id, Key=region)["Body"].read() == b"bytes"
            name = {"Bucket": volume.id, "Key": region}
            assert send(http_path, "GET", s3.generate_presigned_url("get_object", Params=name)) == (
                200,
                b"bytes",
            )
        assert s3.head_bucket(Bucket=volume.id)["BucketRegion"] == "EU-RO-1"
        wrong = http_path.client(access_key_id=access_key_id, secret="rps_wrong")
        with refused("SignatureDoesNotMatch", 403):
            wrong.list_objects_v2(Bucket=volume.id)
