"""AWS CLI: `aws s3`."""

import subprocess
from pathlib import Path

import pytest

from aws_cli import AwsCli
from door import Door, requested_door
from sample import MEBIBYTE, ODD_KEYS, sample_bytes
from tree import contents, make_tree, write


@pytest.fixture(scope="session", params=["http-path", "https-virtual"])
def door(request: pytest.FixtureRequest) -> Door:
    """Two of them, for each command takes a second to start; `aws s3api` has the others."""
    return requested_door(request)


@pytest.fixture
def aws(door: Door, tmp_path: Path) -> AwsCli:
    return AwsCli(door, tmp_path)


def test_mb_ls_and_rb_make_list_and_remove_a_bucket(aws: AwsCli, door: Door) -> None:
    name = f"cli-{door.name}"
    aws("s3", "mb", f"s3://{name}")
    assert f" {name}\n" in aws("s3", "ls")
    aws("s3", "rb", f"s3://{name}")
    assert f" {name}\n" not in aws("s3", "ls")


def test_cp_moves_small_and_large_files_and_streams(
    aws: AwsCli, bucket: str, tmp_path: Path
) -> None:
    for name, size_bytes in (("empty", 0), ("small", 1_000), ("large", 20 * MEBIBYTE)):
        body = sample_bytes(size_bytes)
        up = write(tmp_path / name, body)
        down = tmp_path / "down"
        aws("s3", "cp", up, f"s3://{bucket}/dir/{name}")
        aws("s3", "cp", f"s3://{bucket}/dir/{name}", down)
        assert down.read_bytes() == body
    aws("s3", "cp", "-", f"s3://{bucket}/stream", stdin=sample_bytes(9 * MEBIBYTE))
    aws("s3", "cp", f"s3://{bucket}/stream", tmp_path / "stream")
    assert (tmp_path / "stream").read_bytes() == sample_bytes(9 * MEBIBYTE)
    aws("s3", "cp", "-", f"s3://{bucket}/hello", stdin=b"hello")
    assert aws("s3", "cp", f"s3://{bucket}/hello", "-") == "hello"


def test_cp_recursive_moves_a_tree_of_odd_names(aws: AwsCli, bucket: str, tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    aws("s3", "cp", tree, f"s3://{bucket}/tree", "--recursive")
    aws("s3", "cp", f"s3://{bucket}/tree", f"s3://{bucket}/copy", "--recursive")
    aws("s3", "cp", f"s3://{bucket}/copy", tmp_path / "back", "--recursive")
    assert contents(tmp_path / "back") == contents(tree)


def test_mv_and_rm_leave_nothing_behind(aws: AwsCli, bucket: str, tmp_path: Path) -> None:
    large = write(tmp_path / "large", sample_bytes(20 * MEBIBYTE))
    aws("s3", "mv", large, f"s3://{bucket}/a")
    assert not large.exists()
    aws("s3", "mv", f"s3://{bucket}/a", f"s3://{bucket}/b c")
    assert aws("s3", "ls", f"s3://{bucket}", "--recursive").split()[-2:] == ["b", "c"]
    aws("s3", "mv", f"s3://{bucket}/b c", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == sample_bytes(20 * MEBIBYTE)
    aws("s3", "cp", tmp_path / "back", f"s3://{bucket}/c")
    aws("s3", "rm", f"s3://{bucket}/c")
    assert aws("s3", "ls", f"s3://{bucket}") == ""


def test_sync_uploads_only_what_changed(aws: AwsCli, bucket: str, tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    first = aws("s3", "sync", tree, f"s3://{bucket}/tree")
    assert first.count("upload: ") == len(contents(tree))
    assert "upload: " not in aws("s3", "sync", tree, f"s3://{bucket}/tree")
    write(tree / "changed", b"new")
    write(tree / "empty", b"not any more")
    (tree / "large").unlink()
    again = aws("s3", "sync", tree, f"s3://{bucket}/tree", "--delete")
    assert (again.count("upload: "), again.count("delete: ")) == (2, 1)


def test_sync_downloads_only_what_changed(aws: AwsCli, bucket: str, tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    aws("s3", "sync", tree, f"s3://{bucket}")
    back = tmp_path / "back"
    aws("s3", "sync", f"s3://{bucket}", back)
    assert contents(back) == contents(tree)
    assert "download: " not in aws("s3", "sync", f"s3://{bucket}", back)
    (back / "empty").unlink()
    write(back / "extra", b"here alone")
    again = aws("s3", "sync", f"s3://{bucket}", back, "--delete")
    assert (again.count("download: "), again.count("delete: ")) == (1, 1)
    assert contents(back) == contents(tree)


def test_ls_shows_directories_sizes_and_a_summary(aws: AwsCli, bucket: str, tmp_path: Path) -> None:
    for name in ("top", "dir/one", "dir/two"):
        aws("s3", "cp", write(tmp_path / name, b"12345"), f"s3://{bucket}/{name}")
    listed = aws("s3", "ls", f"s3://{bucket}").splitlines()
    assert [line.split()[-2:] for line in listed] == [["PRE", "dir/"], ["5", "top"]]
    summary = aws("s3", "ls", f"s3://{bucket}", "--recursive", "--summarize", "--human-readable")
    assert "Total Objects: 3" in summary
    assert "Total Size: 15 Bytes" in summary


def test_presign_makes_urls_that_curl_can_read(aws: AwsCli, bucket: str, door: Door) -> None:
    for key in ("plain", *ODD_KEYS[:4]):
        door.client().put_object(Bucket=bucket, Key=key, Body=key.encode())
        url = aws("s3", "presign", f"s3://{bucket}/{key}", "--expires-in", "60").rstrip("\n")
        words = ["curl", "--silent", "--show-error", "--fail", "--path-as-is", "--max-time", "30"]
        words += ["--resolve", f"*:{door.server.port}:127.0.0.1"]
        words += [] if door.authority_file is None else ["--cacert", door.authority_file]
        got = subprocess.run([*words, url], capture_output=True, timeout=60, check=False)
        assert (got.stderr, got.stdout) == (b"", key.encode())


def test_presign_with_signature_version_2_is_refused_with_the_mend(
    http_path: Door, tmp_path: Path
) -> None:
    aws = AwsCli(http_path, tmp_path, signature_version=None)
    url = aws("s3", "presign", "s3://some-bucket/a").rstrip("\n")
    assert "AWSAccessKeyId=" in url
    got = subprocess.run(["curl", "--silent", url], capture_output=True, timeout=60, check=True)
    assert b"s3v4" in got.stdout or b"AWS4-HMAC-SHA256" in got.stdout


def test_rb_force_removes_a_bucket_with_its_objects(
    aws: AwsCli, bucket: str, tmp_path: Path
) -> None:
    aws("s3", "cp", write(tmp_path / "a", b"1"), f"s3://{bucket}/dir/a")
    assert "BucketNotEmpty" in aws("s3", "rb", f"s3://{bucket}", status=1)
    aws("s3", "rb", f"s3://{bucket}", "--force")
    assert "NoSuchBucket" in aws("s3", "ls", f"s3://{bucket}", status=None)
