"""Runs the command-line clients."""

import os
import subprocess
import sys
from pathlib import Path

LOOPBACK = Path(__file__).parent / "loopback"
WITHIN_SECONDS = 120


def run(
    *words: str | Path,
    home: Path,
    environment: dict[str, str] | None = None,
    stdin: bytes | None = None,
    status: int | None = 0,
) -> str:
    """Gives standard output and standard error together; fails on another exit status.

    Nothing of our own environment reaches the command but where to find programs.
    """
    # The AWS CLI stands beside the Python that runs this.
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    settings = {"PATH": path, "HOME": str(home), "PYTHONPATH": str(LOOPBACK), "LC_ALL": "C.UTF-8"}
    command = [str(word) for word in words]
    done = subprocess.run(
        command,
        cwd=home,
        env=settings | (environment or {}),
        input=stdin or b"",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=WITHIN_SECONDS,
        check=False,
    )
    output = done.stdout.decode(errors="surrogateescape")
    if status is not None and done.returncode != status:
        raise AssertionError(f"{' '.join(command)}\nexit status {done.returncode}\n{output}")
    return output
