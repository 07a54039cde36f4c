"""AWS CLI, rclone, s3cmd and s5cmd on volumes."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from aws_cli import AwsCli
from control import Control
from door import Door
from sample import MEBIBYTE, NOT_PRINTABLE, sample_bytes
from server import Server
from test_rclone import Rclone
from test_s3cmd import S3cmd
from test_s5cmd import S5CMD, S5cmd
from tree import contents, make_tree, write
from volume import MINE, Volume, served


@pytest.fixture(scope="module")
def control(http_server: Server) -> Control:
    return Control(http_server)


@pytest.fixture
def volume(control: Control, tmp_path: Path) -> Iterator[Volume]:
    with served(tmp_path / "volume", control) as volume:
        yield volume


@pytest.fixture
def url(volume: Volume) -> str:
    return f"s3://{volume.id}"


@pytest.fixture
def aws(http_path: Door, tmp_path: Path) -> AwsCli:
    return AwsCli(http_path, tmp_path)


@pytest.fixture
def rclone(http_path: Door, tmp_path: Path) -> Rclone:
    return Rclone(http_path, tmp_path, "")


@pytest.fixture
def s3cmd(http_path: Door, tmp_path: Path) -> S3cmd:
    return S3cmd(http_path, tmp_path)


@pytest.fixture
def s5cmd(http_path: Door, tmp_path: Path) -> S5cmd:
    if S5CMD is None:
        pytest.skip("s5cmd is not on PATH: it is built with Go")
    return S5cmd(http_path, tmp_path)


def make_empty_directories(root: Path) -> None:
    for name in ("empty directory", "deep/er/empty"):
        (root / name).mkdir(parents=True)


def stored(volume: Volume, below: str = "") -> dict[str, bytes]:
    """What programs see."""
    files = contents(volume.root / below)
    return {name: body for name, body in files.items() if not name.startswith(f"{MINE}/")}


def test_aws_ls_shows_what_programs_made(aws: AwsCli, volume: Volume, url: str) -> None:
    make_tree(volume.root)
    make_empty_directories(volume.root)
    # A name follows date and size, a directory the word PRE in their place.
    shown = {line[31:] for line in aws("s3", "ls", url).splitlines()}
    files = {name for name in stored(volume) if "/" not in name}
    assert shown == files | {"deep/", "empty directory/", "emoji \U0001f389 and \u00e9/"}
    every = aws("s3", "ls", url, "--recursive", "--summarize")
    assert f"Total Objects: {len(stored(volume)) + 2}" in every
    assert "deep/er/empty/" in every
    write(volume.root / "deep" / "new", b"12345")
    assert aws("s3", "ls", f"{url}/deep/").split()[-2:] == ["5", "new"]


def test_aws_cp_moves_trees_and_streams(
    aws: AwsCli, volume: Volume, url: str, tmp_path: Path
) -> None:
    tree = make_tree(tmp_path / "tree")
    aws("s3", "cp", tree, f"{url}/tree", "--recursive")
    assert stored(volume, "tree") == contents(tree)
    aws("s3", "cp", f"{url}/tree", f"{url}/copy", "--recursive")
    aws("s3", "cp", f"{url}/copy", tmp_path / "back", "--recursive")
    assert contents(tmp_path / "back") == contents(tree)
    aws("s3", "cp", "-", f"{url}/stream", stdin=sample_bytes(9 * MEBIBYTE))
    assert (volume.root / "stream").read_bytes() == sample_bytes(9 * MEBIBYTE)
    write(volume.root / "hello", b"hello")
    assert aws("s3", "cp", f"{url}/hello", "-") == "hello"


def test_aws_mv_and_rm_leave_directories_alone(
    aws: AwsCli, volume: Volume, url: str, tmp_path: Path
) -> None:
    tree = make_tree(tmp_path / "tree")
    expected = contents(tree)
    aws("s3", "mv", tree, f"{url}/a", "--recursive")
    assert contents(tree) == {}
    aws("s3", "mv", f"{url}/a", f"{url}/b", "--recursive")
    assert stored(volume) == {f"b/{name}": body for name, body in expected.items()}
    aws("s3", "mv", f"{url}/b", tmp_path / "back", "--recursive")
    assert contents(tmp_path / "back") == expected
    assert stored(volume) == {}
    # As `rm` of files does. Each round takes the empty directories of the one before.
    assert (volume.root / "b" / "deep" / "er" / "and").is_dir()
    for _ in Path("b/deep/er/and").parts:
        aws("s3", "rm", url, "--recursive")
    assert aws("s3", "ls", url) == ""
    assert [path.name for path in volume.root.iterdir()] == [MINE]


def test_aws_sync_sends_only_what_changed(
    aws: AwsCli, volume: Volume, url: str, tmp_path: Path
) -> None:
    tree = make_tree(tmp_path / "tree")
    first = aws("s3", "sync", tree, f"{url}/tree")
    assert first.count("upload: ") == len(contents(tree))
    assert "upload: " not in aws("s3", "sync", tree, f"{url}/tree")
    write(tree / "empty", b"not any more")
    (tree / "large").unlink()
    # A program's, which is not in the tree.
    write(volume.root / "tree" / "extra", b"extra")
    again = aws("s3", "sync", tree, f"{url}/tree", "--delete")
    assert (again.count("upload: "), again.count("delete: ")) == (1, 2)
    assert stored(volume, "tree") == contents(tree)


def test_aws_sync_fetches_only_what_programs_changed(
    aws: AwsCli, volume: Volume, url: str, tmp_path: Path
) -> None:
    make_tree(volume.root)
    make_empty_directories(volume.root)
    back = tmp_path / "back"
    aws("s3", "sync", url, back)
    assert contents(back) == stored(volume)
    assert "download: " not in aws("s3", "sync", url, back)
    write(volume.root / "empty", b"not any more")
    (volume.root / "large").unlink()
    again = aws("s3", "sync", url, back, "--delete")
    assert (again.count("download: "), again.count("delete: ")) == (1, 1)
    assert contents(back) == stored(volume)


def test_rclone_sync_and_check_both_ways(rclone: Rclone, volume: Volume, tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    remote = f"lode:{volume.id}/tree"
    rclone("sync", tree, remote)
    assert stored(volume, "tree") == contents(tree)
    assert "There was nothing to transfer" in rclone("sync", "--verbose", tree, remote)
    assert "0 differences found" in rclone("check", tree, remote)
    write(tree / "empty", b"not any more")
    (tree / "large").unlink()
    told = rclone("sync", "--verbose", tree, remote)
    assert (told.count(": Copied"), told.count(": Deleted")) == (1, 1)
    rclone("sync", remote, tmp_path / "back")
    assert contents(tmp_path / "back") == contents(tree)


def test_rclone_fetches_and_checks_what_programs_made(
    rclone: Rclone, volume: Volume, tmp_path: Path
) -> None:
    make_tree(volume.root)
    make_empty_directories(volume.root)
    remote, back = f"lode:{volume.id}", tmp_path / "back"
    rclone("sync", remote, back)
    assert contents(back) == stored(volume)
    assert "There was nothing to transfer" in rclone("sync", "--verbose", remote, back)
    # Their ETags are no MD5, which it sees: it compares sizes, or bytes when it is told to.
    told = rclone("check", remote, back)
    assert "0 differences found" in told
    assert "hashes could not be checked" in told
    assert "0 differences found" in rclone("check", "--download", remote, back)
    write(volume.root / "empty", b"not any more")
    assert "1 differences found" in rclone("check", remote, back, status=1)
    rclone("moveto", f"{remote}/large", f"{remote}/moved/large")
    assert (volume.root / "moved" / "large").stat().st_size == 20 * MEBIBYTE


def test_s3cmd_put_get_ls_and_del(
    s3cmd: S3cmd, volume: Volume, url: str, tmp_path: Path
) -> None:
    tree = make_tree(tmp_path / "tree")
    s3cmd("put", "--recursive", f"{tree}/", f"{url}/tree/")
    assert stored(volume, "tree") == contents(tree)
    s3cmd("put", tree / "large", f"{url}/a b#+%")
    s3cmd("get", f"{url}/a b#+%", tmp_path / "down")
    assert (tmp_path / "down").read_bytes() == (tree / "large").read_bytes()
    write(volume.root / "by a program", b"12345")
    (volume.root / "empty directory").mkdir()
    shown = [line.rsplit(f"{url}/")[-1] for line in s3cmd("ls", url).splitlines()]
    assert shown == ["empty directory/", "tree/", "a b#+%", "by a program"]
    (tmp_path / "back").mkdir()
    s3cmd("get", "--recursive", f"{url}/tree/", f"{tmp_path}/back/")
    assert contents(tmp_path / "back") == contents(tree)
    s3cmd("del", f"{url}/by a program")
    s3cmd("del", "--recursive", "--force", f"{url}/tree/")
    assert volume.files() == ["a b#+%"]


def test_s5cmd_cp_sync_ls_and_rm(
    s5cmd: S5cmd, volume: Volume, url: str, tmp_path: Path
) -> None:
    tree = make_tree(tmp_path / "tree")
    # Its `sync` escapes such a character on the way to its own `cp`, which then finds no file.
    (tree / NOT_PRINTABLE).unlink()
    s5cmd("cp", "--part-size", "5", f"{tree}/", f"{url}/tree/")
    assert stored(volume, "tree") == contents(tree)
    assert s5cmd("sync", f"{tree}/", f"{url}/tree/") == ""
    shutil.copytree(tree, volume.root / "by a program")
    s5cmd("sync", f"{url}/by a program/*", f"{tmp_path}/back/")
    assert contents(tmp_path / "back") == contents(tree)
    assert len(s5cmd("ls", f"{url}/*").splitlines()) == 2 * len(contents(tree))
    s5cmd("rm", f"{url}/*")
    assert volume.files() == []
