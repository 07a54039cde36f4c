"""boto3 over connections that break, and many at once."""

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    HTTPClientError,
    ReadTimeoutError,
)

from cutting_proxy import cutting_proxy
from door import Door
from refused import refused
from sample import MEBIBYTE, sample_bytes

BYTES = sample_bytes(4 * MEBIBYTE, 7)


def through(door: Door, port: int, attempts: int) -> Any:
    """A client that reaches the server by another port."""
    retries = {"mode": "standard", "total_max_attempts": attempts}
    return door.client(endpoint=f"http://127.0.0.1:{port}", retries=retries)


def test_an_upload_that_is_cut_stores_nothing(http_path: Door) -> None:
    bucket = http_path.new_bucket()
    with (
        cutting_proxy(http_path.server.port, up_bytes=[MEBIBYTE]) as port,
        pytest.raises((ConnectionClosedError, ReadTimeoutError)),
    ):
        through(http_path, port, attempts=1).put_object(Bucket=bucket, Key="a", Body=BYTES)
    s3 = http_path.client()
    with refused("404", 404):
        s3.head_object(Bucket=bucket, Key="a")
    s3.put_object(Bucket=bucket, Key="a", Body=BYTES)
    assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == BYTES


def test_an_upload_that_is_cut_leaves_what_was_there(http_path: Door) -> None:
    bucket = http_path.new_bucket()
    s3 = http_path.client()
    s3.put_object(Bucket=bucket, Key="a", Body=b"before")
    with (
        cutting_proxy(http_path.server.port, up_bytes=[MEBIBYTE]) as port,
        pytest.raises((ConnectionClosedError, ReadTimeoutError)),
    ):
        through(http_path, port, attempts=1).put_object(Bucket=bucket, Key="a", Body=BYTES)
    assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"before"


def test_boto3_sends_an_upload_again_after_a_cut(http_path: Door) -> None:
    bucket = http_path.new_bucket()
    with cutting_proxy(http_path.server.port, up_bytes=[MEBIBYTE, 2 * MEBIBYTE]) as port:
        s3 = through(http_path, port, attempts=3)
        answer = s3.put_object(Bucket=bucket, Key="a", Body=BYTES)
    assert answer["ResponseMetadata"]["RetryAttempts"] == 2
    got = http_path.client().get_object(Bucket=bucket, Key="a")
    assert got["Body"].read() == BYTES


def test_boto3_reads_a_download_again_after_a_cut(http_path: Door, tmp_path: Path) -> None:
    bucket = http_path.new_bucket()
    http_path.client().put_object(Bucket=bucket, Key="a", Body=BYTES)
    # The first connection asks for the size; the one after it is cut in the middle of the body.
    with cutting_proxy(http_path.server.port, down_bytes=[MEBIBYTE]) as port:
        config = TransferConfig(multipart_threshold=64 * MEBIBYTE, use_threads=False)
        through(http_path, port, 3).download_file(bucket, "a", str(tmp_path / "a"), Config=config)
    assert (tmp_path / "a").read_bytes() == BYTES


def test_a_body_that_fails_to_be_read_stores_nothing(s3: Any, bucket: str) -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() >= MEBIBYTE:
                raise RuntimeError("the disk is gone")
            return super().read(size)

    with pytest.raises(HTTPClientError, match="the disk is gone"):
        s3.put_object(Bucket=bucket, Key="a", Body=Failing(BYTES), ChecksumCRC32="AAAAAA==")
    with refused("404", 404):
        s3.head_object(Bucket=bucket, Key="a")


def test_of_many_writers_with_if_none_match_one_wins(door: Door, bucket: str) -> None:
    s3 = door.client(max_pool_connections=16)

    def write(number: int) -> str:
        try:
            s3.put_object(Bucket=bucket, Key="a", Body=str(number).encode(), IfNoneMatch="*")
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return "won"

    with ThreadPoolExecutor(16) as threads:
        outcomes = list(threads.map(write, range(48)))
    assert outcomes.count("won") == 1
    assert set(outcomes) <= {"won", "PreconditionFailed", "ConditionalRequestConflict"}
    winner = str(outcomes.index("won")).encode()
    assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == winner


def test_what_one_worker_wrote_the_other_reads_at_once(door: Door, bucket: str) -> None:
    # Each client has a connection of its own, hence in the end each worker one of them.
    clients = [door.client() for _ in range(6)]
    for number in range(30):
        body = str(number).encode()
        clients[number % 6].put_object(Bucket=bucket, Key="a", Body=body)
        for reader in clients:
            assert reader.get_object(Bucket=bucket, Key="a")["Body"].read() == body
