"""Directories of files, to send and to compare."""

from pathlib import Path

from sample import MEBIBYTE, ODD_FILES, sample_bytes


def make_tree(root: Path) -> Path:
    """Files of odd names, an empty one, and one that clients send in parts."""
    for number, name in enumerate(ODD_FILES):
        write(root / name, sample_bytes(100 + number, number))
    write(root / "empty", b"")
    write(root / "large", sample_bytes(20 * MEBIBYTE, 20))
    return root


def write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def contents(root: Path) -> dict[str, bytes]:
    """Every file below the root, by its relative path."""
    files = (path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in files}
