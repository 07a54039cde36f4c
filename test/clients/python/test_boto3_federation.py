"""boto3 and the AWS CLI: credentials that SDKs fetch for themselves."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, CredentialRetrievalError

from aws_cli import AwsCli
from control import Control
from door import REGION, Door
from issuer import AUDIENCE, Issuer
from refused import refused
from server import Server

ROLE_ACTIONS = ["cwobject:CreateAccessKeyOIDC", "s3:*"]


@pytest.fixture(scope="module")
def control(http_server: Server) -> Control:
    return Control(http_server)


@pytest.fixture(scope="module")
def organization(control: Control) -> str:
    return str(control("GET", "/v1/lode/whoami")["orgId"])


@pytest.fixture(scope="module")
def issuer(control: Control) -> Iterator[Issuer]:
    issuer = Issuer()
    trusted = {"name": "ci", "issuerUrl": issuer.url, "audience": AUDIENCE}
    control("POST", "/v1/lode/federation/oidc", trusted | {"privateNetwork": True})
    control.allow(f"role/{issuer.url}:ci", "ci", ROLE_ACTIONS)
    yield issuer
    issuer.close()


def use(session: boto3.session.Session, door: Door, bucket: str) -> None:
    """A client whose credentials are the session's own writes and reads."""
    s3 = session.client("s3", endpoint_url=door.endpoint, region_name=REGION)
    s3.put_object(Bucket=bucket, Key="key", Body=b"bytes")
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == b"bytes"


def test_container_credentials_by_an_oidc_token(
    http_path: Door, control: Control, issuer: Issuer, organization: str, monkeypatch: Any
) -> None:
    url = f"{control.server.admin_endpoint}/v1/cwobject/temporary-credentials/oidc/{organization}"
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", issuer.token("ci"))
    session = boto3.session.Session()

    use(session, http_path, http_path.new_bucket())
    credentials = session.get_credentials()
    assert credentials is not None
    assert credentials.method == "container-role"
    assert credentials.token


def test_container_credentials_are_refused_to_whom_no_policy_allows_them(
    control: Control, issuer: Issuer, organization: str, monkeypatch: Any
) -> None:
    url = f"{control.server.admin_endpoint}/v1/cwobject/temporary-credentials/oidc/{organization}"
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", issuer.token("somebody"))

    with pytest.raises(CredentialRetrievalError, match="permission denied"):
        boto3.session.Session().get_credentials()


def test_container_credentials_by_an_api_token(
    http_path: Door, control: Control, monkeypatch: Any
) -> None:
    control("POST", "/v1/lode/user", {"uid": "ada", "name": "Ada"})
    control.allow("coreweave/ada", "ada", ["cwobject:CreateAccessKey", "s3:*"])
    token = control("POST", "/v1/lode/api-token", {"uid": "ada", "durationSeconds": 600})["token"]
    url = f"{control.server.admin_endpoint}/v1/cwobject/temporary-credentials/api-token"
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", f"Bearer {token}")

    use(boto3.session.Session(), http_path, http_path.new_bucket())


def web_identity(
    monkeypatch: Any, door: Door, *, role: str, token_file: Path, token: str
) -> boto3.session.Session:
    token_file.write_text(token)
    monkeypatch.setenv("AWS_ROLE_ARN", role)
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(token_file))
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", door.endpoint)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    return boto3.session.Session()


@pytest.mark.parametrize("role", ["oidc", "{issuer}:ci"])
def test_web_identity_by_a_file_and_a_role(
    http_path: Door,
    issuer: Issuer,
    organization: str,
    monkeypatch: Any,
    tmp_path: Path,
    role: str,
) -> None:
    arn = f"arn:aws:iam::{organization}:role/{role.format(issuer=issuer.url)}"
    session = web_identity(
        monkeypatch, http_path, role=arn, token_file=tmp_path / "token", token=issuer.token("ci")
    )

    use(session, http_path, http_path.new_bucket())
    sts = session.client("sts")
    identity = sts.get_caller_identity()
    assert identity["Account"] == organization
    assert identity["Arn"] == f"arn:aws:iam::{organization}:role/{issuer.url}:ci"


def test_web_identity_is_refused_for_another_role(
    http_path: Door, issuer: Issuer, organization: str, monkeypatch: Any, tmp_path: Path
) -> None:
    session = web_identity(
        monkeypatch,
        http_path,
        role=f"arn:aws:iam::{organization}:role/Administrator",
        token_file=tmp_path / "token",
        token=issuer.token("ci"),
    )

    with refused("AccessDenied", 403):
        session.client("s3", endpoint_url=http_path.endpoint).list_buckets()


def test_get_caller_identity_is_the_first_thing_that_everybody_tries(
    http_path: Door, organization: str, tmp_path: Path
) -> None:
    cli = AwsCli(http_path, tmp_path)

    answer = json.loads(cli("sts", "get-caller-identity", "--output", "json"))
    assert answer == {
        "UserId": "admin",
        "Account": organization,
        "Arn": f"arn:aws:iam::{organization}:coreweave/admin",
    }


def test_what_ended_is_refused(
    http_path: Door, control: Control, issuer: Issuer, organization: str
) -> None:
    body = {"orgId": organization, "oidcToken": issuer.token("ci"), "durationSeconds": 600}
    key = control("POST", "/v1/cwobject/temporary-credentials/oidc", body)
    bucket = http_path.new_bucket()
    s3 = http_path.client(access_key_id=key["accessKeyId"], secret=key["secretKey"])
    s3.put_object(Bucket=bucket, Key="key", Body=b"bytes")
    revoke = {"accessKey": key["accessKeyId"]}
    control("POST", "/v1/cwobject/revoke-access-key/access-key", revoke)

    with refused("InvalidAccessKeyId", 403):
        s3.get_object(Bucket=bucket, Key="key")
    with pytest.raises(ClientError):
        s3.list_buckets()
