"""s3cmd."""

import subprocess
from pathlib import Path

import pytest

from command import run
from door import REGION, Door, requested_door
from sample import MEBIBYTE, ODD_KEYS, sample_bytes
from tree import contents, make_tree, write

PART_MEBIBYTES = 15


class S3cmd:
    """Called with the words of a command; gives what it wrote, and fails when the command does."""

    def __init__(self, door: Door, home: Path) -> None:
        self._home = home
        settings = {
            "access_key": door.server.access_key_id,
            "secret_key": door.server.secret,
            "host_base": door.host,
            "host_bucket": f"%(bucket)s.{door.host}" if door.virtual else door.host,
            "bucket_location": REGION,
            "use_https": str(door.secure),
            "ca_certs_file": door.authority_file or "",
            "multipart_chunk_size_mb": str(PART_MEBIBYTES),
            "progress_meter": "False",
        }
        lines = ["[default]", *(f"{name} = {value}" for name, value in settings.items())]
        (home / ".s3cfg").write_text("\n".join(lines) + "\n")

    def __call__(self, *words: str | Path, status: int | None = 0) -> str:
        output = run("s3cmd", *words, home=self._home, status=status)
        # It tries again on every answer of 5xx, and says so.
        assert "Retrying failed request" not in output, output
        return output


@pytest.fixture(scope="session", params=["http-path", "https-virtual"])
def door(request: pytest.FixtureRequest) -> Door:
    """Two of them, in which all of scheme and style occur."""
    return requested_door(request)


@pytest.fixture
def s3cmd(door: Door, tmp_path: Path) -> S3cmd:
    return S3cmd(door, tmp_path)


def test_mb_ls_and_rb_make_list_and_remove_a_bucket(s3cmd: S3cmd, door: Door) -> None:
    name = f"s3://s3cmd-{door.name}"
    s3cmd("mb", name)
    assert name in s3cmd("ls")
    s3cmd("rb", name)
    assert name not in s3cmd("ls")


@pytest.mark.parametrize(
    "size_bytes", [0, 1_000, 20 * MEBIBYTE], ids=["empty", "small", "in parts"]
)
def test_put_and_get_move_a_file(
    s3cmd: S3cmd, bucket: str, tmp_path: Path, size_bytes: int
) -> None:
    body = sample_bytes(size_bytes)
    s3cmd("put", write(tmp_path / "up", body), f"s3://{bucket}/dir/a b")
    s3cmd("get", f"s3://{bucket}/dir/a b", tmp_path / "down")
    assert (tmp_path / "down").read_bytes() == body


# To s3cmd a slash at the end names a directory, which it does not get.
FILE_KEYS = [key for key in ODD_KEYS if not key.endswith("/")]


@pytest.mark.parametrize("key", FILE_KEYS, ids=ascii)
def test_put_and_get_an_odd_key(s3cmd: S3cmd, bucket: str, tmp_path: Path, key: str) -> None:
    s3cmd("put", write(tmp_path / "up", key.encode()), f"s3://{bucket}/{key}")
    s3cmd("get", f"s3://{bucket}/{key}", tmp_path / "down")
    assert (tmp_path / "down").read_bytes() == key.encode()


def test_ls_and_du_tell_sizes(s3cmd: S3cmd, bucket: str, tmp_path: Path) -> None:
    for name in ("top", "dir/one", "dir/two"):
        s3cmd("put", write(tmp_path / name, b"12345"), f"s3://{bucket}/{name}")
    lines = s3cmd("ls", f"s3://{bucket}").splitlines()
    assert [line.split()[-2:] for line in lines] == [
        ["DIR", f"s3://{bucket}/dir/"],
        ["5", f"s3://{bucket}/top"],
    ]
    assert len(s3cmd("ls", "--recursive", f"s3://{bucket}").splitlines()) == 3
    assert s3cmd("du", f"s3://{bucket}").split()[:2] == ["15", "3"]


def test_cp_mv_and_del(s3cmd: S3cmd, bucket: str, tmp_path: Path) -> None:
    a, b, c = (f"s3://{bucket}/{name}" for name in ("a", "b +b", "c"))
    s3cmd("put", write(tmp_path / "up", b"abc"), a)
    s3cmd("cp", a, b)
    s3cmd("mv", b, c)
    s3cmd("get", c, tmp_path / "down")
    assert (tmp_path / "down").read_bytes() == b"abc"
    listed = [line.split()[-1] for line in s3cmd("ls", f"s3://{bucket}").splitlines()]
    assert listed == [a, c]
    s3cmd("del", a)
    s3cmd("del", "--recursive", "--force", f"s3://{bucket}")
    assert s3cmd("ls", f"s3://{bucket}") == ""


def test_info_tells_type_size_and_metadata(s3cmd: S3cmd, bucket: str, tmp_path: Path) -> None:
    up = write(tmp_path / "up.txt", b"abc")
    flags = ("--mime-type=text/x-odd", "--add-header=x-amz-meta-colour:blue")
    s3cmd("put", *flags, up, f"s3://{bucket}/a")
    told = s3cmd("info", f"s3://{bucket}/a")
    assert "File size: 3" in told
    assert "MIME type: text/x-odd" in told
    assert "x-amz-meta-colour: blue" in told
    assert "Location:" in s3cmd("info", f"s3://{bucket}")


def test_sync_sends_and_fetches_only_what_changed(
    s3cmd: S3cmd, bucket: str, tmp_path: Path
) -> None:
    tree = make_tree(tmp_path / "tree")
    first = s3cmd("sync", f"{tree}/", f"s3://{bucket}/tree/")
    assert first.count("upload: ") >= len(contents(tree))
    assert "upload: " not in s3cmd("sync", f"{tree}/", f"s3://{bucket}/tree/")
    write(tree / "empty", b"not any more")
    (tree / "large").unlink()
    again = s3cmd("sync", "--delete-removed", f"{tree}/", f"s3://{bucket}/tree/")
    assert (again.count("upload: "), again.count("delete: ")) == (1, 1)
    back = tmp_path / "back"
    back.mkdir()
    s3cmd("sync", f"s3://{bucket}/tree/", f"{back}/")
    assert contents(back) == contents(tree)
    assert "download: " not in s3cmd("sync", f"s3://{bucket}/tree/", f"{back}/")


def test_multipart_lists_and_aborts_unfinished_uploads(
    s3cmd: S3cmd, bucket: str, door: Door
) -> None:
    upload_id = door.client().create_multipart_upload(Bucket=bucket, Key="a")["UploadId"]
    assert upload_id in s3cmd("multipart", f"s3://{bucket}")
    s3cmd("abortmp", f"s3://{bucket}/a", upload_id)
    assert upload_id not in s3cmd("multipart", f"s3://{bucket}")


def test_signurl_is_refused_with_the_mend_for_it_knows_version_2_alone(
    http_path: Door, tmp_path: Path
) -> None:
    url = S3cmd(http_path, tmp_path)("signurl", "s3://some-bucket/a", "+60").strip()
    assert "AWSAccessKeyId=" in url
    got = subprocess.run(["curl", "--silent", url], capture_output=True, timeout=60, check=True)
    assert b"AWS4-HMAC-SHA256" in got.stdout


def test_an_absent_object_is_told(s3cmd: S3cmd, bucket: str, tmp_path: Path) -> None:
    told = s3cmd("get", f"s3://{bucket}/absent", tmp_path / "down", status=None)
    assert "404" in told or "does not exist" in told


def test_lifecycle_rules_are_put_shown_and_deleted(
    s3cmd: S3cmd, bucket: str, tmp_path: Path
) -> None:
    rule = "<Rule><ID>r</ID><Filter><Prefix>logs/</Prefix></Filter><Status>Enabled</Status>"
    rule += "<Expiration><Days>3</Days></Expiration></Rule>"
    text = f"<LifecycleConfiguration>{rule}</LifecycleConfiguration>"
    s3cmd("setlifecycle", write(tmp_path / "rules.xml", text.encode()), f"s3://{bucket}")
    assert "<Prefix>logs/</Prefix>" in s3cmd("getlifecycle", f"s3://{bucket}")
    assert "logs/" in s3cmd("info", f"s3://{bucket}")
    s3cmd("dellifecycle", f"s3://{bucket}")
    assert "NoSuchLifecycleConfiguration" in s3cmd("getlifecycle", f"s3://{bucket}", status=12)
