"""rclone, s3cmd and s5cmd: what each of them knows of encryption at rest."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from door import Door, requested_door
from refused import refused
from test_rclone import Rclone
from test_s3cmd import S3cmd
from test_s5cmd import S5cmd
from tree import contents, make_tree
from tunnel import tunnel

KEY = "0123456789abcdefghijklmnopqrstuv"


@pytest.fixture(scope="session", params=["http-path", "https-path"])
def door(request: pytest.FixtureRequest) -> Door:
    return requested_door(request)


@pytest.fixture
def rclone(door: Door, tmp_path: Path) -> Iterator[Rclone]:
    with tunnel() as proxy:
        yield Rclone(door, tmp_path, proxy)


def encryption_of(door: Door, bucket: str, keys: list[str]) -> set[str | None]:
    client = door.client()
    heads = [client.head_object(Bucket=bucket, Key=key) for key in keys]
    return {head.get("ServerSideEncryption") for head in heads}


def test_rclone_under_a_key(rclone: Rclone, door: Door, bucket: str, tmp_path: Path) -> None:
    if not door.secure:
        pytest.skip("rclone sends no key over plain HTTP")
    tree, remote = make_tree(tmp_path / "tree"), f"lode:{bucket}/tree"
    key = ["--s3-sse-customer-algorithm", "AES256", "--s3-sse-customer-key", KEY]
    rclone("copy", *key, tree, remote)
    assert "0 differences found" in rclone("check", *key, "--download", tree, remote)
    rclone("copy", *key, remote, f"lode:{bucket}/copy")
    rclone("copy", *key, f"lode:{bucket}/copy", tmp_path / "back")
    assert contents(tmp_path / "back") == contents(tree)
    with refused("InvalidRequest", 400):
        door.client().get_object(Bucket=bucket, Key="tree/large")


def test_rclone_under_sse_s3(rclone: Rclone, door: Door, bucket: str, tmp_path: Path) -> None:
    tree, remote = make_tree(tmp_path / "tree"), f"lode:{bucket}/tree"
    rclone("copy", "--s3-server-side-encryption", "AES256", tree, remote)
    assert "0 differences found" in rclone("check", tree, remote)
    assert encryption_of(door, bucket, ["tree/empty", "tree/large"]) == {"AES256"}


def test_s3cmd_under_sse_s3(door: Door, bucket: str, tmp_path: Path) -> None:
    s3cmd, tree = S3cmd(door, tmp_path), make_tree(tmp_path / "tree")
    flag = "--server-side-encryption"
    s3cmd("put", flag, tree / "empty", tree / "large", f"s3://{bucket}/")
    s3cmd("cp", flag, f"s3://{bucket}/large", f"s3://{bucket}/copy")
    assert encryption_of(door, bucket, ["empty", "large", "copy"]) == {"AES256"}
    for name in ("large", "copy"):
        s3cmd("get", flag, f"s3://{bucket}/{name}", tmp_path / name)
        assert (tmp_path / name).read_bytes() == (tree / "large").read_bytes()


@pytest.mark.skipif(shutil.which("s5cmd") is None, reason="s5cmd is not on PATH")
def test_s5cmd_under_sse_s3(door: Door, bucket: str, tmp_path: Path) -> None:
    s5cmd, tree = S5cmd(door, tmp_path), make_tree(tmp_path / "tree")
    sse = ["--sse", "AES256"]
    s5cmd("cp", "--part-size", "5", *sse, f"{tree}/large", f"s3://{bucket}/large")
    s5cmd("cp", *sse, f"s3://{bucket}/large", f"s3://{bucket}/copy")
    assert encryption_of(door, bucket, ["large", "copy"]) == {"AES256"}
    s5cmd("cp", f"s3://{bucket}/copy", f"{tmp_path}/back")
    assert (tmp_path / "back").read_bytes() == (tree / "large").read_bytes()
