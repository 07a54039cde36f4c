"""Uploads a large file as those do who have to live with time-outs.

Parts go up by several threads, each tried again after pauses that double, but for a volume that is
full, which ends all. They are counted by ListParts before the upload is completed. That is given a
time to answer which follows from the size and doubles with each attempt. After a time-out, and at
once on NoSuchUpload, HeadObject tells whether the object is there: the server may have done what it
did not answer. What fails is left open.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

from door import Door

GIGABYTE = 10**9
FULL = 507
# A proxy's, whose server went on without it.
TIMED_OUT = 524


class VolumeFull(Exception):
    pass


class UploadFailed(Exception):
    pass


@dataclass(frozen=True)
class Settings:
    part_bytes: int = 50 * 10**6
    threads: int = 4
    attempts: int = 5
    # The n-th pause takes 2^n of them.
    pause_seconds: float = 1.0
    answer_seconds_min: float = 60.0
    answer_seconds_per_gigabyte: float = 5.0


class LargeUpload:
    """Of one file to one key. `endpoint` is the door's own unless said otherwise."""

    def __init__(
        self,
        door: Door,
        bucket: str,
        key: str,
        settings: Settings,
        *,
        endpoint: str | None = None,
        **client: Any,
    ) -> None:
        self._door = door
        self._settings = settings
        self._client = client | {"endpoint": endpoint}
        self._s3 = door.client(**self._client)
        self._object = {"Bucket": bucket, "Key": key}
        self._upload: dict[str, Any] = {}
        # What went wrong on the way, in order.
        self.troubles: list[str] = []

    @property
    def upload(self) -> dict[str, Any]:
        """What names the upload when it is left open."""
        return self._upload

    def send(self, file: Path) -> None:
        """Fails: VolumeFull, UploadFailed."""
        size_bytes = file.stat().st_size
        created = self._s3.create_multipart_upload(**self._object)
        self._upload = {**self._object, "UploadId": created["UploadId"]}
        count = -(-size_bytes // self._settings.part_bytes)
        with ThreadPoolExecutor(self._settings.threads) as threads:
            sent = [threads.submit(self._send_part, file, number) for number in range(1, count + 1)]
            try:
                parts = [each.result() for each in sent]
            except BaseException:
                threads.shutdown(cancel_futures=True)
                raise
        self._count_parts(count)
        self._complete(parts, size_bytes)

    def _send_part(self, file: Path, number: int) -> dict[str, Any]:
        for attempt in range(self._settings.attempts):
            if attempt > 0:
                self._pause(attempt)
            with file.open("rb") as source:
                source.seek((number - 1) * self._settings.part_bytes)
                body = source.read(self._settings.part_bytes)
            try:
                answer = self._s3.upload_part(**self._upload, PartNumber=number, Body=body)
            except ClientError as error:
                if _status(error) == FULL:
                    raise VolumeFull(str(error)) from error
                self.troubles.append(f"part {_code(error)}")
            except (ConnectionError, HTTPClientError) as error:
                self.troubles.append(f"part {type(error).__name__}")
            else:
                return {"PartNumber": number, "ETag": answer["ETag"]}
        raise UploadFailed(f"part {number}: {self.troubles}")

    def _count_parts(self, count: int) -> None:
        pages = self._s3.get_paginator("list_parts").paginate(**self._upload)
        listed = [part["PartNumber"] for page in pages for part in page.get("Parts", [])]
        if listed != list(range(1, count + 1)):
            raise UploadFailed(f"{len(listed)} of {count} parts are there")

    def _complete(self, parts: list[dict[str, Any]], size_bytes: int) -> None:
        settings = self._settings
        gigabytes = size_bytes / GIGABYTE
        seconds = max(settings.answer_seconds_min, settings.answer_seconds_per_gigabyte * gigabytes)
        for attempt in range(settings.attempts):
            s3 = self._door.client(**self._client | {"read_timeout": seconds * 2**attempt})
            try:
                s3.complete_multipart_upload(**self._upload, MultipartUpload={"Parts": parts})
            except ClientError as error:
                self.troubles.append(f"complete {_code(error)}")
                if _code(error) != "NoSuchUpload" and _status(error) != TIMED_OUT:
                    raise UploadFailed(str(error)) from error
                if _code(error) != "NoSuchUpload":
                    self._pause(attempt)
            except (ConnectionError, HTTPClientError) as error:
                self.troubles.append(f"complete {type(error).__name__}")
                self._pause(attempt)
            if self._is_there(size_bytes):
                return
        raise UploadFailed(f"it is not there: {self.troubles}")

    def _is_there(self, size_bytes: int) -> bool:
        try:
            head = self._s3.head_object(**self._object)
        except ClientError as error:
            self.troubles.append(f"head {_code(error)}")
            return False
        return bool(head["ContentLength"] == size_bytes)

    def _pause(self, attempt: int) -> None:
        time.sleep(self._settings.pause_seconds * 2**attempt)


def _code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])


def _status(error: ClientError) -> int:
    return int(error.response["ResponseMetadata"]["HTTPStatusCode"])
