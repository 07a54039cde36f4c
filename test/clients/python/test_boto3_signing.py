"""boto3: who may come in, and until when."""

import datetime
from typing import Any

import botocore.auth
import botocore.crt.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session

from door import Door
from refused import refused
from sample import ODD_KEYS


def send(
    door: Door, method: str, url: str, body: bytes | None = None, **headers: str
) -> tuple[int, bytes]:
    """Sends a request with nothing added that the server would look at."""
    session = URLLib3Session(verify=door.authority_file, timeout=30)
    request = AWSRequest(method, url, data=body, headers=headers).prepare()
    response = session.send(request)
    return response.status_code, response.content


@pytest.mark.parametrize("key", ["a", *ODD_KEYS], ids=ascii)
def test_presigned_urls_put_get_and_delete(s3: Any, door: Door, bucket: str, key: str) -> None:
    name = {"Bucket": bucket, "Key": key}
    put = s3.generate_presigned_url("put_object", Params=name)
    assert send(door, "PUT", put, b"presigned")[0] == 200
    get = s3.generate_presigned_url("get_object", Params=name, ExpiresIn=60)
    assert send(door, "GET", get) == (200, b"presigned")
    delete = s3.generate_presigned_url("delete_object", Params=name)
    assert send(door, "DELETE", delete)[0] == 204
    assert send(door, "GET", get)[0] == 404


def test_a_presigned_url_holds_the_headers_it_was_made_with(
    s3: Any, door: Door, bucket: str
) -> None:
    params = {"Bucket": bucket, "Key": "a", "ContentType": "text/plain", "Metadata": {"b": "1"}}
    url = s3.generate_presigned_url("put_object", Params=params)
    status, answer = send(door, "PUT", url, b"abc", **{"Content-Type": "text/html"})
    assert (status, b"<Code>" in answer) == (403, True)
    told = {"Content-Type": "text/plain", "x-amz-meta-b": "1"}
    assert send(door, "PUT", url, b"abc", **told)[0] == 200
    head = s3.head_object(Bucket=bucket, Key="a")
    assert (head["ContentType"], head["Metadata"]) == ("text/plain", {"b": "1"})


def test_a_presigned_url_that_was_changed_is_refused(s3: Any, door: Door, bucket: str) -> None:
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "aaa"})
    status, answer = send(door, "GET", url.replace("/aaa?", "/aab?"))
    assert (status, b"<Code>SignatureDoesNotMatch</Code>" in answer) == (403, True)
    status, answer = send(door, "DELETE", url)
    assert (status, b"<Code>SignatureDoesNotMatch</Code>" in answer) == (403, True)


def test_a_presigned_url_lives_for_seven_days_at_most(s3: Any, door: Door, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    params = {"Bucket": bucket, "Key": "a"}
    week = s3.generate_presigned_url("get_object", Params=params, ExpiresIn=7 * 24 * 3_600)
    assert send(door, "GET", week) == (200, b"1")
    longer = s3.generate_presigned_url("get_object", Params=params, ExpiresIn=7 * 24 * 3_600 + 1)
    status, answer = send(door, "GET", longer)
    assert status == 400
    assert b"<Code>AuthorizationQueryParametersError</Code>" in answer


def test_an_expired_presigned_url_is_refused(
    s3: Any, door: Door, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    shift_clock(monkeypatch, datetime.timedelta(minutes=-5))
    params = {"Bucket": bucket, "Key": "a"}
    expired = s3.generate_presigned_url("get_object", Params=params, ExpiresIn=60)
    alive = s3.generate_presigned_url("get_object", Params=params, ExpiresIn=3_600)
    status, answer = send(door, "GET", expired)
    assert (status, b"<Code>AccessDenied</Code>" in answer) == (403, True)
    assert b"expired" in answer
    assert send(door, "GET", alive)[0] == 200


@pytest.mark.parametrize("minutes", [-16, 16])
def test_a_clock_sixteen_minutes_off_is_refused(
    s3: Any, bucket: str, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    shift_clock(monkeypatch, datetime.timedelta(minutes=minutes))
    with refused("RequestTimeTooSkewed", 403):
        s3.put_object(Bucket=bucket, Key="a", Body=b"1")


@pytest.mark.parametrize("minutes", [-14, 14])
def test_a_clock_fourteen_minutes_off_is_accepted(
    s3: Any, bucket: str, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    shift_clock(monkeypatch, datetime.timedelta(minutes=minutes))
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")


def test_a_wrong_secret_is_refused(door: Door, bucket: str) -> None:
    s3 = door.client(secret="wrong")
    with refused("SignatureDoesNotMatch", 403):
        s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    with refused("403", 403):
        s3.head_bucket(Bucket=bucket)


def test_an_unknown_key_is_refused(door: Door, bucket: str) -> None:
    s3 = door.client()
    s3._request_signer._credentials.access_key = "LODEUNKNOWNKEY000000"
    with refused("InvalidAccessKeyId", 403):
        s3.list_objects_v2(Bucket=bucket)


def test_a_request_without_a_signature_is_refused(s3: Any, door: Door, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    authority = door.host
    url = f"{bucket}.{authority}" if door.virtual else f"{authority}/{bucket}"
    scheme = door.endpoint.split(":")[0]
    status, answer = send(door, "GET", f"{scheme}://{url}/a")
    assert (status, b"<Code>AccessDenied</Code>" in answer) == (403, True)


def test_any_region_is_accepted_when_it_is_signed(door: Door, bucket: str) -> None:
    s3 = door.client(region="ord1-lab")
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a"})
    assert send(door, "GET", url) == (200, b"1")


def test_a_signature_of_version_2_is_refused_with_the_mend(door: Door, bucket: str) -> None:
    s3 = door.client(signature_version="s3")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a"})
    status, answer = send(door, "GET", url)
    assert status in (400, 403)
    assert b"s3v4" in answer or b"AWS4-HMAC-SHA256" in answer


def test_a_payload_that_is_not_signed_is_accepted(door: Door, bucket: str) -> None:
    s3 = door.client(s3={"payload_signing_enabled": False, "addressing_style": "auto"})
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"1"


def shift_clock(monkeypatch: pytest.MonkeyPatch, by: datetime.timedelta) -> None:
    """The clock that boto3 signs with, and no other."""
    now = botocore.auth.get_current_datetime
    for signer in (botocore.auth, botocore.crt.auth):
        monkeypatch.setattr(signer, "get_current_datetime", lambda **how: now(**how) + by)
