"""The AWS CLI, pointed at a door."""

import json
from pathlib import Path
from typing import Any

from command import run
from door import REGION, Door


class AwsCli:
    """Called with the words of a command; gives what it wrote, and fails when the command does."""

    def __init__(
        self,
        door: Door,
        home: Path,
        *,
        signature_version: str | None = "s3v4",
        native: bool = False,
    ) -> None:
        self._home = home
        self._flags = ["--endpoint-url", door.endpoint]
        if door.authority_file is not None:
            self._flags += ["--ca-bundle", door.authority_file]
        self._environment = {
            "AWS_ACCESS_KEY_ID": door.server.access_key_id,
            "AWS_SECRET_ACCESS_KEY": door.server.secret,
            "AWS_DEFAULT_REGION": REGION,
            # One: a retry would hide an answer of 5xx.
            "AWS_RETRY_MODE": "standard",
            "AWS_MAX_ATTEMPTS": "1",
            "AWS_CONFIG_FILE": str(home / "aws-config"),
            # The native runtime signs and computes checksums otherwise; most do not install it.
            "BOTO_DISABLE_CRT": str(not native).lower(),
        }
        lines = [
            "[default]",
            "s3 =",
            f"  addressing_style = {'virtual' if door.virtual else 'path'}",
        ]
        if signature_version is not None:
            lines.append(f"  signature_version = {signature_version}")
        (home / "aws-config").write_text("\n".join(lines) + "\n")

    def __call__(
        self, *words: str | Path, stdin: bytes | None = None, status: int | None = 0
    ) -> str:
        return run(
            "aws",
            *self._flags,
            *words,
            home=self._home,
            environment=self._environment,
            stdin=stdin,
            status=status,
        )

    def api(self, *words: str | Path) -> Any:
        """An `aws s3api` command, and its answer."""
        return json.loads(self("s3api", *words, "--output", "json") or "null")

    def refused(self, *words: str | Path) -> str:
        """An `aws s3api` command that the server refuses, and what it says of that."""
        return self("s3api", *words, status=255)
