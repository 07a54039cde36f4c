"""s5cmd, where it could be built."""

import os
import shutil
from pathlib import Path

import pytest

from command import run
from door import REGION, Door, requested_door
from sample import NOT_PRINTABLE
from tree import contents, make_tree, write

S5CMD = shutil.which("s5cmd")
pytestmark = pytest.mark.skipif(S5CMD is None, reason="s5cmd is not on PATH: it is built with Go")


class S5cmd:
    """Called with the words of a command; gives what it wrote, and fails when the command does."""

    def __init__(self, door: Door, home: Path) -> None:
        self._home = home
        self._flags = ["--endpoint-url", door.endpoint, "--retry-count", "0"]
        self._environment = {
            "AWS_ACCESS_KEY_ID": door.server.access_key_id,
            "AWS_SECRET_ACCESS_KEY": door.server.secret,
            "AWS_REGION": REGION,
        }
        if door.authority_file is not None:
            self._environment["AWS_CA_BUNDLE"] = door.authority_file

    def __call__(
        self, *words: str | Path, stdin: bytes | None = None, status: int | None = 0
    ) -> str:
        return run(
            str(S5CMD),
            *self._flags,
            *words,
            home=self._home,
            environment=self._environment,
            stdin=stdin,
            status=status,
        )


@pytest.fixture(scope="session", params=["http-path", "https-path"])
def door(request: pytest.FixtureRequest) -> Door:
    """It speaks path style to every endpoint but those it knows."""
    return requested_door(request)


@pytest.fixture
def s5cmd(door: Door, tmp_path: Path) -> S5cmd:
    return S5cmd(door, tmp_path)


def test_mb_ls_and_rb_make_list_and_remove_a_bucket(s5cmd: S5cmd, door: Door) -> None:
    name = f"s3://s5cmd-{door.name}"
    s5cmd("mb", name)
    assert name in s5cmd("ls")
    s5cmd("rb", name)
    assert name not in s5cmd("ls")


def test_cp_moves_a_tree_both_ways(s5cmd: S5cmd, bucket: str, tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    s5cmd("cp", "--part-size", "5", f"{tree}/", f"s3://{bucket}/tree/")
    s5cmd("cp", "--part-size", "5", f"s3://{bucket}/tree/*", f"{tmp_path}/back/")
    assert contents(tmp_path / "back") == contents(tree)


def test_ls_du_and_cat_read(s5cmd: S5cmd, bucket: str, tmp_path: Path) -> None:
    for name in ("top", "dir/one", "dir/two"):
        s5cmd("cp", write(tmp_path / name, b"12345"), f"s3://{bucket}/{name}")
    assert [line.split()[-2:] for line in s5cmd("ls", f"s3://{bucket}/").splitlines()] == [
        ["DIR", "dir/"],
        ["5", "top"],
    ]
    assert "15 bytes in 3 objects" in s5cmd("du", f"s3://{bucket}/*")
    assert s5cmd("cat", f"s3://{bucket}/top") == "12345"
    s5cmd("pipe", f"s3://{bucket}/piped", stdin=b"hello")
    assert s5cmd("cat", f"s3://{bucket}/piped") == "hello"


def test_mv_and_rm_leave_nothing_behind(s5cmd: S5cmd, bucket: str, tmp_path: Path) -> None:
    for number in range(20):
        write(tmp_path / "tree" / str(number), b"1")
    s5cmd("mv", f"{tmp_path}/tree/", f"s3://{bucket}/a/")
    assert contents(tmp_path / "tree") == {}
    s5cmd("mv", f"s3://{bucket}/a/*", f"s3://{bucket}/b/")
    assert len(s5cmd("ls", f"s3://{bucket}/*").splitlines()) == 20
    s5cmd("rm", f"s3://{bucket}/b/*")
    assert "no object found" in s5cmd("ls", f"s3://{bucket}/*", status=1)


def test_sync_transfers_only_what_changed(s5cmd: S5cmd, bucket: str, tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    # Its `sync` escapes such a character on the way to its own `cp`, which then finds no file.
    (tree / NOT_PRINTABLE).unlink()
    s5cmd("sync", f"{tree}/", f"s3://{bucket}/")
    assert s5cmd("sync", f"{tree}/", f"s3://{bucket}/") == ""
    write(tree / "empty", b"not any more")
    (tree / "large").unlink()
    again = s5cmd("sync", "--delete", f"{tree}/", f"s3://{bucket}/").splitlines()
    assert sorted(line.split()[0] for line in again) == ["cp", "rm"]
    s5cmd("sync", f"s3://{bucket}/*", f"{tmp_path}/back/")
    assert contents(tmp_path / "back") == contents(tree)


def test_run_reads_commands_from_a_file(s5cmd: S5cmd, bucket: str, tmp_path: Path) -> None:
    write(tmp_path / "up", os.urandom(1_000))
    lines = [f"cp {tmp_path}/up s3://{bucket}/{number}\n" for number in range(50)]
    write(tmp_path / "commands", "".join(lines).encode())
    s5cmd("run", tmp_path / "commands")
    assert len(s5cmd("ls", f"s3://{bucket}/*").splitlines()) == 50
