"""The ways to reach a server: a scheme and an addressing style each."""

import itertools
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.config import Config

from server import TLS_BASE_DOMAIN, Server

DOORS = ("http-path", "http-virtual", "https-path", "https-virtual")
REGION = "us-east-1"
# An address, or a name that never leads anywhere else than to this machine.
ADDRESS = "127.0.0.1"

_numbers = itertools.count(1)
# One for all clients: it reads the description of S3 once.
_session = boto3.session.Session()


@dataclass(frozen=True)
class Door:
    name: str
    server: Server = field(repr=False)

    @property
    def virtual(self) -> bool:
        return self.name.endswith("virtual")

    @property
    def secure(self) -> bool:
        return self.name.startswith("https")

    @property
    def host(self) -> str:
        """With the port: what buckets are a label of, in virtual-hosted style."""
        if not self.virtual:
            return f"{ADDRESS}:{self.server.port}"
        return f"{TLS_BASE_DOMAIN if self.secure else 'localhost'}:{self.server.port}"

    @property
    def endpoint(self) -> str:
        return f"{'https' if self.secure else 'http'}://{self.host}"

    @property
    def authority_file(self) -> str | None:
        certificate = self.server.certificate
        return None if certificate is None else str(certificate.file)

    def client(
        self,
        *,
        endpoint: str | None = None,
        access_key_id: str | None = None,
        secret: str | None = None,
        region: str = REGION,
        **config: Any,
    ) -> Any:
        """A boto3 client. It never tries again unless told: a retry would hide an answer of 5xx."""
        settings: dict[str, Any] = {
            "signature_version": "s3v4",
            "retries": {"mode": "standard", "total_max_attempts": 1},
            "s3": {"addressing_style": "virtual" if self.virtual else "path"},
            "connect_timeout": 10,
            "read_timeout": 60,
        }
        return _session.client(
            "s3",
            endpoint_url=endpoint or self.endpoint,
            region_name=region,
            aws_access_key_id=access_key_id or self.server.access_key_id,
            aws_secret_access_key=secret or self.server.secret,
            verify=self.authority_file,
            config=Config(**(settings | config)),
        )

    def new_bucket(self) -> str:
        name = f"{self.name}-{next(_numbers)}"
        self.client().create_bucket(Bucket=name)
        return name


def requested_door(request: pytest.FixtureRequest) -> Door:
    """For a fixture `door` whose parameters are names of doors."""
    scheme = request.param.split("-")[0]
    return Door(request.param, request.getfixturevalue(f"{scheme}_server"))
