"""rclone, as provider "Other"."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from command import run
from door import Door, requested_door
from sample import ODD_KEYS, sample_bytes
from tree import contents, make_tree, write
from tunnel import tunnel


class Rclone:
    """Called with the words of a command; gives what it wrote, and fails when the command does."""

    def __init__(self, door: Door, home: Path, proxy: str) -> None:
        self._home = home
        self._environment = {
            "RCLONE_CONFIG_LODE_TYPE": "s3",
            "RCLONE_CONFIG_LODE_PROVIDER": "Other",
            "RCLONE_CONFIG_LODE_ENDPOINT": door.endpoint,
            "RCLONE_CONFIG_LODE_ACCESS_KEY_ID": door.server.access_key_id,
            "RCLONE_CONFIG_LODE_SECRET_ACCESS_KEY": door.server.secret,
            "RCLONE_CONFIG_LODE_FORCE_PATH_STYLE": str(not door.virtual).lower(),
            "RCLONE_CONFIG": str(write(home / "rclone.conf", b"")),
            "RCLONE_S3_CHUNK_SIZE": "5M",
            "RCLONE_S3_UPLOAD_CUTOFF": "10M",
            # One: a retry would hide an answer of 5xx.
            "RCLONE_RETRIES": "1",
            "RCLONE_LOW_LEVEL_RETRIES": "1",
            "HTTPS_PROXY": proxy,
        }
        if door.authority_file is not None:
            self._environment["RCLONE_CA_CERT"] = door.authority_file

    def __call__(
        self, *words: str | Path, stdin: bytes | None = None, status: int | None = 0
    ) -> str:
        environment = self._environment
        return run(
            "rclone", *words, home=self._home, environment=environment, stdin=stdin, status=status
        )


@pytest.fixture(scope="session", params=["http-path", "https-virtual"])
def door(request: pytest.FixtureRequest) -> Door:
    """Not virtual-hosted http: no proxy would leave those requests as rclone sends them."""
    return requested_door(request)


@pytest.fixture
def rclone(door: Door, tmp_path: Path) -> Iterator[Rclone]:
    with tunnel() as proxy:
        yield Rclone(door, tmp_path, proxy)


def test_copy_and_check_a_tree_both_ways(rclone: Rclone, bucket: str, tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    remote = f"lode:{bucket}/tree"
    rclone("copy", tree, remote)
    assert "0 differences found" in rclone("check", tree, remote)
    assert "0 differences found" in rclone("check", "--download", tree, remote)
    rclone("copy", remote, tmp_path / "back")
    assert contents(tmp_path / "back") == contents(tree)


def test_sync_transfers_only_what_changed(rclone: Rclone, bucket: str, tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    remote = f"lode:{bucket}"
    rclone("sync", tree, remote)
    told = rclone("sync", "--verbose", tree, remote)
    assert "There was nothing to transfer" in told
    write(tree / "empty", b"not any more")
    write(tree / "new", b"new")
    (tree / "large").unlink()
    told = rclone("sync", "--verbose", tree, remote)
    assert (told.count(": Copied"), told.count(": Deleted")) == (2, 1)
    rclone("sync", remote, tmp_path / "back")
    assert contents(tmp_path / "back") == contents(tree)


def test_copy_makes_the_bucket(rclone: Rclone, door: Door, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    write(tree / "a", b"1")
    remote = f"lode:rclone-{door.name}"
    rclone("copy", tree, remote)
    assert f"rclone-{door.name}" in rclone("lsd", "lode:")
    rclone("purge", remote)
    assert f"rclone-{door.name}" not in rclone("lsd", "lode:")


def test_ls_and_lsjson_list_what_is_there(rclone: Rclone, bucket: str, tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    rclone("copy", tree, f"lode:{bucket}")
    listed = json.loads(rclone("lsjson", "--recursive", "--files-only", "--hash", f"lode:{bucket}"))
    sizes = {each["Path"]: each["Size"] for each in listed}
    assert sizes == {name: len(body) for name, body in contents(tree).items()}
    assert all(each["Hashes"]["md5"] for each in listed)
    assert f"{len(contents(tree)['large'])} large" in rclone("ls", f"lode:{bucket}")
    assert "Total objects: 12" in rclone("size", f"lode:{bucket}")


def test_cat_and_rcat_stream(rclone: Rclone, bucket: str) -> None:
    rclone("rcat", f"lode:{bucket}/a", stdin=b"hello")
    assert rclone("cat", f"lode:{bucket}/a") == "hello"
    assert rclone("cat", "--offset", "1", "--count", "3", f"lode:{bucket}/a") == "ell"
    large = sample_bytes(12_000_000)
    rclone("rcat", f"lode:{bucket}/large", stdin=large)
    assert rclone("cat", "--discard", f"lode:{bucket}/large") == ""
    assert f"{len(large)} large" in rclone("ls", f"lode:{bucket}")


def test_copyto_moveto_and_deletefile(rclone: Rclone, bucket: str, tmp_path: Path) -> None:
    remote = f"lode:{bucket}"
    for number, name in enumerate(
        key for key in ODD_KEYS if key.strip("/") == key and "/" not in key
    ):
        up = write(tmp_path / "up", name.encode())
        rclone("copyto", up, f"{remote}/{number}")
        rclone("moveto", f"{remote}/{number}", f"{remote}/moved/{number}")
    assert len(rclone("lsf", f"{remote}/moved").splitlines()) == number + 1
    assert rclone("lsf", "--files-only", remote) == ""
    rclone("deletefile", f"{remote}/moved/0")
    rclone("delete", f"{remote}/moved")
    assert rclone("lsf", "--recursive", "--files-only", remote) == ""


def test_moveto_moves_a_large_object_on_the_server(
    rclone: Rclone, bucket: str, tmp_path: Path
) -> None:
    large = sample_bytes(12_000_000)
    rclone("copyto", write(tmp_path / "large", large), f"lode:{bucket}/a")
    rclone("moveto", f"lode:{bucket}/a", f"lode:{bucket}/b", "--s3-copy-cutoff", "6M")
    rclone("copyto", f"lode:{bucket}/b", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == large


def test_link_makes_a_url_that_can_be_read(rclone: Rclone, door: Door, bucket: str) -> None:
    rclone("rcat", f"lode:{bucket}/a b", stdin=b"hello")
    url = rclone("link", "--expire", "60s", f"lode:{bucket}/a b").strip()
    words = ["curl", "--silent", "--fail", "--max-time", "30"]
    words += ["--resolve", f"*:{door.server.port}:127.0.0.1"]
    if door.authority_file is not None:
        words += ["--cacert", door.authority_file]
    assert run(*words, url, home=Path("/")) == "hello"


def test_a_wrong_secret_is_told(http_path: Door, tmp_path: Path) -> None:
    rclone = Rclone(http_path, tmp_path, "")
    rclone._environment["RCLONE_CONFIG_LODE_SECRET_ACCESS_KEY"] = "wrong"
    assert "SignatureDoesNotMatch" in rclone("lsd", "lode:", status=1)


def test_versions_are_shown_read_and_cleaned_up(
    rclone: Rclone, door: Door, bucket: str, tmp_path: Path
) -> None:
    enabled = {"Status": "Enabled"}
    door.client().put_bucket_versioning(Bucket=bucket, VersioningConfiguration=enabled)
    remote = f"lode:{bucket}"
    for text in (b"one", b"two"):
        rclone("copyto", write(tmp_path / "a.txt", text), f"{remote}/a.txt", "--ignore-times")
    rclone("copyto", write(tmp_path / "b.txt", b"b"), f"{remote}/b.txt")
    rclone("deletefile", f"{remote}/b.txt")
    assert rclone("lsf", remote).split() == ["a.txt"]
    shown = rclone("lsf", "--s3-versions", remote).split()
    old = next(name for name in shown if name.startswith("a-v"))
    assert sorted(name[0] for name in shown) == ["a", "a", "b"]
    assert rclone("cat", "--s3-versions", f"{remote}/{old}") == "one"
    assert rclone("cat", f"{remote}/a.txt") == "two"
    rclone("backend", "cleanup", remote)
    assert rclone("backend", "versioning", remote).strip().strip('"') == "Enabled"
