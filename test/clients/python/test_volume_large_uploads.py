"""Large uploads to volumes: time-outs, lost answers, networks that break, volumes that are full."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from control import Control
from cutting_proxy import cutting_proxy
from door import ADDRESS, Door
from large_upload import LargeUpload, Settings, VolumeFull
from losing_proxy import CLOSED, TIMED_OUT, losing_proxy
from refused import refused
from sample import MEBIBYTE, sample_bytes
from server import Server
from tree import write
from volume import Volume, served

# 50 MB a part for files of many GB, a fiftieth of it.
SCALED = Settings(part_bytes=MEBIBYTE, pause_seconds=0.05, answer_seconds_min=2)
BODY = sample_bytes(24 * MEBIBYTE + 12_345, 24)
PARTS = 25
# Two workers hold a quota together, and each knows of the other what was true a second ago.
QUOTA_BYTES = 10 * MEBIBYTE
TOLD_WITHIN_SECONDS = 60


@pytest.fixture(scope="module")
def control(http_server: Server) -> Control:
    return Control(http_server)


@pytest.fixture
def volume(control: Control, tmp_path: Path) -> Iterator[Volume]:
    with served(tmp_path / "volume", control) as volume:
        yield volume


@pytest.fixture
def small_volume(control: Control, tmp_path: Path) -> Iterator[Volume]:
    with served(tmp_path / "small", control, sizeBytes=str(QUOTA_BYTES)) as volume:
        yield volume


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "large file", BODY)


@pytest.fixture(scope="module")
def s3(http_path: Door) -> Any:
    return http_path.client()


def assert_stored(upload: LargeUpload, volume: Volume, s3: Any) -> None:
    """Whole, once, and with nothing left beside it."""
    assert (volume.root / "models" / "large").read_bytes() == BODY
    head = s3.head_object(Bucket=volume.id, Key="models/large")
    assert (head["ContentLength"], head["ETag"][-4:]) == (len(BODY), f'-{PARTS}"')
    with refused("NoSuchUpload", 404):
        s3.list_parts(**upload.upload)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=volume.id)
    assert volume.hidden_bytes() == 0


def test_a_large_file_goes_up_in_parts(
    http_path: Door, volume: Volume, file: Path, s3: Any
) -> None:
    upload = LargeUpload(http_path, volume.id, "models/large", SCALED)
    upload.send(file)
    assert upload.troubles == []
    assert_stored(upload, volume, s3)


def test_parts_of_a_network_that_breaks_are_sent_again(
    http_path: Door, volume: Volume, file: Path, s3: Any
) -> None:
    # The first is let through for as long as it takes to create the upload.
    with cutting_proxy(http_path.server.port, up_bytes=(900_000, 200_000, 1_500_000)) as port:
        upload = LargeUpload(
            http_path, volume.id, "models/large", SCALED, endpoint=f"http://{ADDRESS}:{port}"
        )
        upload.send(file)
    assert upload.troubles != []
    assert all(trouble.startswith("part ") for trouble in upload.troubles)
    assert_stored(upload, volume, s3)


LOST: dict[str, tuple[bytes | None, int, str]] = {
    "in silence": (None, 1, "complete ReadTimeoutError"),
    "by a proxy that gave up": (TIMED_OUT, 1, "complete 524"),
    "with its connection": (CLOSED, 1, "complete ConnectionClosedError"),
    # Which asks a second time by itself, and learns that the upload is gone.
    "with its connection, before a client that tries again": (CLOSED, 2, "complete NoSuchUpload"),
}


@pytest.mark.parametrize("how", LOST)
def test_when_the_answer_to_complete_is_lost_head_tells_that_it_was_done(
    http_path: Door, volume: Volume, file: Path, s3: Any, how: str
) -> None:
    instead, attempts, trouble = LOST[how]
    with losing_proxy(http_path.server.port, instead) as port:
        upload = LargeUpload(
            http_path,
            volume.id,
            "models/large",
            SCALED,
            endpoint=f"http://{ADDRESS}:{port}",
            retries={"mode": "standard", "total_max_attempts": attempts},
        )
        upload.send(file)
    assert upload.troubles[0] == trouble
    assert_stored(upload, volume, s3)


def test_a_reader_of_the_directory_sees_the_file_when_it_is_whole_and_not_before(
    http_path: Door, volume: Volume, file: Path, s3: Any
) -> None:
    write(volume.root / "models" / "large", b"the old one")
    name = {"Bucket": volume.id, "Key": "models/large"}
    upload = {**name, "UploadId": s3.create_multipart_upload(**name)["UploadId"]}
    parts = []
    for number in range(1, PARTS + 1):
        body = BODY[(number - 1) * MEBIBYTE : number * MEBIBYTE]
        etag = s3.upload_part(**upload, PartNumber=number, Body=body)["ETag"]
        parts.append({"PartNumber": number, "ETag": etag})
        assert volume.files() == ["models/large"]
    with (volume.root / "models" / "large").open("rb") as reading:
        s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
        assert reading.read() == b"the old one"
    assert (volume.root / "models" / "large").read_bytes() == BODY


def eventually(do: Callable[[], None]) -> None:
    """Until the volume has room again in the eyes of every worker."""
    deadline = time.monotonic() + TOLD_WITHIN_SECONDS
    while True:
        try:
            return do()
        except VolumeFull:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def test_a_full_volume_ends_a_large_upload_and_has_its_room_back_after_the_abort(
    http_path: Door, small_volume: Volume, file: Path, s3: Any, tmp_path: Path
) -> None:
    kept = write(small_volume.root / "kept", b"of a program")
    upload = LargeUpload(http_path, small_volume.id, "large", SCALED)
    with pytest.raises(VolumeFull, match="InsufficientStorage"):
        upload.send(file)
    assert small_volume.files() == ["kept"]
    assert kept.read_bytes() == b"of a program"
    assert len(s3.list_parts(**upload.upload)["Parts"]) > 0
    s3.abort_multipart_upload(**upload.upload)
    assert small_volume.hidden_bytes() == 0

    most = write(tmp_path / "most", BODY[: 8 * MEBIBYTE])

    def send() -> None:
        again = LargeUpload(http_path, small_volume.id, "most", SCALED)
        try:
            again.send(most)
        except VolumeFull:
            s3.abort_multipart_upload(**again.upload)
            raise

    eventually(send)
    assert (small_volume.root / "most").read_bytes() == most.read_bytes()


def test_a_volume_that_has_grown_takes_what_it_refused(
    http_path: Door, small_volume: Volume, file: Path, s3: Any
) -> None:
    refused_upload = LargeUpload(http_path, small_volume.id, "models/large", SCALED)
    with pytest.raises(VolumeFull):
        refused_upload.send(file)
    s3.abort_multipart_upload(**refused_upload.upload)
    small_volume.resize(None)
    upload = LargeUpload(http_path, small_volume.id, "models/large", SCALED)
    upload.send(file)
    assert_stored(upload, small_volume, s3)


def test_boto3_sees_507_once_and_what_was_there_stays(
    http_path: Door, small_volume: Volume
) -> None:
    s3 = http_path.client(retries={"mode": "standard", "total_max_attempts": 5})
    s3.put_object(Bucket=small_volume.id, Key="a", Body=b"the old one")
    before = s3.head_object(Bucket=small_volume.id, Key="a")["ETag"]
    sent: list[str] = []

    def note(request: Any, **_: Any) -> None:
        sent.append(request.url)

    s3.meta.events.register("before-send.s3.PutObject", note)
    with refused("InsufficientStorage", 507):
        s3.put_object(Bucket=small_volume.id, Key="a", Body=BODY)
    assert len(sent) == 1
    got = s3.get_object(Bucket=small_volume.id, Key="a")
    assert (got["Body"].read(), got["ETag"]) == (b"the old one", before)
    s3.put_object(Bucket=small_volume.id, Key="a", Body=BODY[:MEBIBYTE])
    with refused("InsufficientStorage", 507):
        s3.put_object(Bucket=small_volume.id, Key="new", Body=BODY)
    assert small_volume.files() == ["a"]
    assert small_volume.hidden_bytes() == 0
