"""AWS CLI: --sse and --sse-c."""

from pathlib import Path

import pytest

from aws_cli import AwsCli
from door import Door, requested_door
from tree import contents, make_tree, write


@pytest.fixture(scope="session", params=["http-path", "https-virtual"])
def door(request: pytest.FixtureRequest) -> Door:
    """Two of them, for each command takes a second to start."""
    return requested_door(request)


@pytest.fixture
def aws(door: Door, tmp_path: Path) -> AwsCli:
    return AwsCli(door, tmp_path)


@pytest.fixture
def keys(tmp_path: Path) -> list[str]:
    """Files of two keys, as the CLI names them."""
    return [f"fileb://{write(tmp_path / name, name.encode() * 8)}" for name in ("key1", "key2")]


def sse_c(key: str, of: str = "") -> list[str]:
    return [f"--sse-c{of}", "AES256", f"--sse-c{of}-key", key]


def test_cp_and_sync_under_a_key(
    aws: AwsCli, bucket: str, tmp_path: Path, keys: list[str]
) -> None:
    tree, remote = make_tree(tmp_path / "tree"), f"s3://{bucket}/tree"
    aws("s3", "cp", "--recursive", tree, remote, *sse_c(keys[0]))
    aws("s3", "sync", tree, remote, *sse_c(keys[0]))
    aws("s3", "cp", "--recursive", remote, tmp_path / "back", *sse_c(keys[0]))
    assert contents(tmp_path / "back") == contents(tree)
    missing = aws("s3", "cp", f"{remote}/empty", tmp_path / "no", status=1)
    assert "400" in missing
    wrong = aws("s3", "cp", f"{remote}/empty", tmp_path / "no", *sse_c(keys[1]), status=1)
    assert "403" in wrong


def test_cp_between_keys(aws: AwsCli, bucket: str, tmp_path: Path, keys: list[str]) -> None:
    tree, remote = make_tree(tmp_path / "tree"), f"s3://{bucket}"
    aws("s3", "cp", tree / "large", f"{remote}/a", *sse_c(keys[0]))
    source = sse_c(keys[0], "-copy-source")
    aws("s3", "cp", f"{remote}/a", f"{remote}/b", *source, *sse_c(keys[1]))
    aws("s3", "cp", f"{remote}/a", f"{remote}/c", *source, "--sse", "AES256")
    aws("s3", "cp", f"{remote}/b", tmp_path / "b", *sse_c(keys[1]))
    aws("s3", "cp", f"{remote}/c", tmp_path / "c")
    for name in ("b", "c"):
        assert (tmp_path / name).read_bytes() == (tree / "large").read_bytes()


def test_sse_s3_and_a_bucket_default(aws: AwsCli, bucket: str, tmp_path: Path) -> None:
    tree, only = make_tree(tmp_path / "tree"), ("--bucket", bucket)
    aws("s3", "cp", "--recursive", tree, f"s3://{bucket}/tree", "--sse")
    assert aws.api("head-object", *only, "--key", "tree/large")["ServerSideEncryption"] == "AES256"
    aws("s3", "cp", "--recursive", f"s3://{bucket}/tree", tmp_path / "back")
    assert contents(tmp_path / "back") == contents(tree)
    rule = '{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"AES256"}}]}'
    aws.api("put-bucket-encryption", *only, "--server-side-encryption-configuration", rule)
    got = aws.api("get-bucket-encryption", *only)["ServerSideEncryptionConfiguration"]
    (applied,) = got["Rules"]
    assert applied["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    put = aws.api("put-object", *only, "--key", "a", "--body", write(tmp_path / "a", b"1"))
    assert put["ServerSideEncryption"] == "AES256"
    aws("s3api", "delete-bucket-encryption", *only)
    absent = "ServerSideEncryptionConfigurationNotFoundError"
    assert absent in aws.refused("get-bucket-encryption", *only)
