"""A directory that a server has for a bucket."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from control import Control

VOLUMES = "/v1/lode/volume"
MINE = ".s3compat_uploads"

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Volume:
    id: str
    # What programs see.
    root: Path
    control: Control

    def files(self) -> list[str]:
        """Their paths, without what the server keeps for itself."""
        found = (path.relative_to(self.root) for path in self.root.rglob("*") if path.is_file())
        return sorted(str(path) for path in found if path.parts[0] != MINE)

    def hidden_bytes(self) -> int:
        """Of unfinished uploads, and of what is being written."""
        parts = ("tmp", "uploads")
        found = (path for part in parts for path in (self.root / MINE / part).rglob("*"))
        return sum(path.stat().st_size for path in found if path.is_file())

    def resize(self, size_bytes: int | None) -> None:
        size = {} if size_bytes is None else {"sizeBytes": str(size_bytes)}
        self.control("PUT", f"{VOLUMES}/{self.id}/size", size)


@contextmanager
def served(root: Path, control: Control, **settings: Any) -> Iterator[Volume]:
    """Serves the directory; its files are there when it is served no longer."""
    volume = Volume(f"volume{next(_numbers):04}", root, control)
    root.mkdir(exist_ok=True)
    control("POST", VOLUMES, {"volumeId": volume.id, "path": str(root)} | settings)
    yield volume
    files = volume.files()
    control("DELETE", f"{VOLUMES}/{volume.id}")
    assert volume.files() == files
