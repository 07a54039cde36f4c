"""The recipes of docs/clients.md, run as they stand but for the port."""

import re
import shutil
import sys
from pathlib import Path

import pytest

from command import run
from door import Door
from server import ROOT
from tree import write

PAGE = (ROOT / "docs" / "clients.md").read_text()
KEY, *RECIPES = re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]
TITLES = [recipe.splitlines()[0] for recipe in RECIPES]
INTERPRETERS = {
    "sh": ["bash", "-eu"],
    "python": [sys.executable],
    "js": [str(ROOT / "node_modules" / ".bin" / "node")],
}


@pytest.mark.parametrize("recipe", RECIPES, ids=TITLES)
def test_a_recipe_works(http_path: Door, tmp_path: Path, recipe: str) -> None:
    if recipe.startswith("s5cmd") and shutil.which("s5cmd") is None:
        pytest.skip("s5cmd is not on PATH: it is built with Go")
    if recipe.startswith("AWS SDK for JavaScript"):
        (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    server = http_path.server
    credentials = (
        f"aws_access_key_id = {server.access_key_id}\naws_secret_access_key = {server.secret}"
    )
    write(tmp_path / "data" / "credentials", f"[default]\n{credentials}\n".encode())
    scripts = scripts_of(recipe, server.port)
    assert scripts != {}
    for kind, script in scripts.items():
        path = write(tmp_path / f"recipe.{'mjs' if kind == 'js' else kind}", script.encode())
        key = scripts_of(KEY, server.port)["sh"]
        command = " ".join([*INTERPRETERS[kind], str(path)])
        # The suite runs boto3 with its native runtime: here it runs as most have it, without.
        plain = {"BOTO_DISABLE_CRT": "true"}
        output = run("bash", "-euc", f"{key}\n{command}", home=tmp_path, environment=plain)
        assert "hello" in output


def scripts_of(section: str, port: int) -> dict[str, str]:
    """Its blocks, those of one language put together."""
    scripts: dict[str, str] = {}
    for kind, block in re.findall(r"^```(\w+)\n(.*?)^```$", section, re.MULTILINE | re.DOTALL):
        scripts[kind] = scripts.get(kind, "") + block.replace(":9000", f":{port}")
    return scripts
