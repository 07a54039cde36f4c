"""The recipes of the README and of the pages in docs, run as they stand but the port."""

import re
import shutil
import sys
from pathlib import Path

import pytest

from command import run
from door import Door
from server import ROOT, Server
from tree import write

PYTHON = sys.executable
NODE = str(ROOT / "node_modules" / ".bin" / "node")
# How a block of each language is run from a shell, in which the variables of earlier ones stand.
AS_SHELL = {
    "sh": "{block}",
    "python": f"{PYTHON} - <<'BLOCK'\n{{block}}BLOCK\n",
    "js": f"cat > recipe.mjs <<'BLOCK'\n{{block}}BLOCK\n{NODE} recipe.mjs\n",
}


def sections(page: str) -> dict[str, str]:
    """What stands below each heading of the second level, by its title."""
    parts = re.split(r"^## ", (ROOT / page).read_text(), flags=re.MULTILINE)[1:]
    return {part.splitlines()[0]: part for part in parts}


CLIENTS = sections("docs/clients.md")
KEY = CLIENTS.pop("The key")


@pytest.mark.parametrize("title", CLIENTS)
def test_a_recipe_works(http_path: Door, tmp_path: Path, title: str) -> None:
    if title == "s5cmd" and shutil.which("s5cmd") is None:
        pytest.skip("s5cmd is not on PATH: it is built with Go")
    output = run_blocks(KEY + CLIENTS[title], http_path, tmp_path)
    assert "hello" in output


@pytest.mark.parametrize("title", sections("docs/rename.md"))
def test_a_recipe_for_a_rename_works(http_path: Door, tmp_path: Path, title: str) -> None:
    output = run_blocks(KEY + sections("docs/rename.md")[title], http_path, tmp_path)
    assert "hello" in output


def test_the_recipes_of_the_readme_work_one_after_the_other(
    http_path: Door, tmp_path: Path
) -> None:
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    output = run_blocks(sections("README.md")["Use it"], http_path, tmp_path)
    for told in ("docs/clients.md", "PreconditionFailed", "0 differences found", "hello"):
        assert told in output


def test_the_commands_of_the_page_about_access_work_one_after_the_other(
    http_path: Door, tmp_path: Path
) -> None:
    page = (ROOT / "docs/access.md").read_text()
    output = run_blocks(lode_of(http_path.server, tmp_path) + page, http_path, tmp_path)
    for told in re.findall(r'\|\| echo "(.*)"$', page, re.MULTILINE):
        assert told in output


def test_the_move_of_a_volume_works(http_path: Door, tmp_path: Path) -> None:
    recipe = sections("docs/volumes.md")["Moving here from another network-volume service"]
    output = run_blocks(lode_of(http_path.server, tmp_path) + recipe, http_path, tmp_path)
    assert output.splitlines()[-2].endswith(" 6 hello.txt")
    assert output.splitlines()[-1] == "hello"


def lode_of(server: Server, home: Path) -> str:
    """A block that makes `lode` the operator's, where the token of a server is in its directory."""
    data = server.log_file.parent / "data"
    write(home / "data" / "admin-token", (data / "admin-token").read_bytes())
    lode = f"LODE_ADMIN_URL={server.admin_endpoint} {NODE} {ROOT}/bin/lode"
    token = "${LODE_ADMIN_TOKEN:-$(cat data/admin-token)}"
    return f'```sh\nlode() {{ LODE_ADMIN_TOKEN={token} {lode} "$@"; }}\n```\n'


def run_blocks(text: str, door: Door, home: Path) -> str:
    """Runs the blocks of a text in one shell, where a server was started in its directory."""
    server = door.server
    key = f"aws_access_key_id = {server.access_key_id}\naws_secret_access_key = {server.secret}\n"
    write(home / "data" / "credentials", f"[default]\n{key}".encode())
    (home / "node_modules").symlink_to(ROOT / "node_modules")
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    script = "\n".join(AS_SHELL[language].format(block=block) for language, block in blocks)
    path = write(home / "recipe.sh", script.replace(":9000", f":{server.port}").encode())
    # The suite runs boto3 with its native runtime: here it runs as most have it, without.
    return run("bash", "-eu", path, home=home, environment={"BOTO_DISABLE_CRT": "true"})
