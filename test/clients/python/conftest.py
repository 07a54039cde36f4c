"""Fixtures: two servers, one of them with TLS; the doors to them; a bucket for each test."""

import os
import re
import runpy
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from command import LOOPBACK
from door import DOORS, Door, requested_door
from server import Certificate, Server

# Python may have loaded another `sitecustomize` before this process came to ours.
runpy.run_path(str(LOOPBACK / "sitecustomize.py"))

# No setting of whoever runs this may change what the clients do.
for name in [name for name in os.environ if name.startswith(("AWS_", "RCLONE_", "LODE_", "S3_"))]:
    del os.environ[name]
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"

_servers: list[Server] = []
_OFFSETS = pytest.StashKey[dict[Server, int]]()


@pytest.fixture(scope="session")
def http_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    yield from _serve(tmp_path_factory.mktemp("http"), with_tls=False)


@pytest.fixture(scope="session")
def https_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    yield from _serve(tmp_path_factory.mktemp("https"), with_tls=True)


def _serve(directory: Path, *, with_tls: bool) -> Iterator[Server]:
    server = Server(directory, Certificate.make(directory) if with_tls else None)
    _servers.append(server)
    yield server
    assert server.stop() == 0, "SIGTERM did not drain the server"
    faults = re.findall(r'^.*"status":50[03].*$', server.log_since(0), re.MULTILINE)
    assert faults == []


@pytest.fixture(scope="session", params=DOORS)
def door(request: pytest.FixtureRequest) -> Door:
    return requested_door(request)


@pytest.fixture(scope="session")
def http_path(http_server: Server) -> Door:
    """For what does not depend on how the server is reached."""
    return Door("http-path", http_server)


@pytest.fixture(scope="session")
def s3(door: Door) -> Any:
    return door.client()


@pytest.fixture
def bucket(door: Door) -> str:
    return door.new_bucket()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    item.stash[_OFFSETS] = {server: server.log_bytes() for server in _servers}
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Shows what the servers wrote while a test ran that failed."""
    report: Any = yield
    if report.failed:
        offsets = item.stash[_OFFSETS]
        for server in _servers:
            report.sections.append(
                (f"log of {server.endpoint}", server.log_since(offsets.get(server, 0)))
            )
    return report


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How many tests of each client passed, and in what time."""
    by_client: dict[str, list[Any]] = {}
    for outcome in ("passed", "failed", "error", "skipped"):
        for report in terminalreporter.getreports(outcome):
            client = Path(report.nodeid.split("::")[0]).stem.removeprefix("test_")
            by_client.setdefault(client, []).append(report)
    for client, reports in sorted(by_client.items()):
        passed = sum(report.passed for report in reports)
        failed = sum(report.failed for report in reports)
        skipped = sum(report.skipped for report in reports)
        seconds = sum(report.duration for report in reports)
        terminalreporter.write_line(
            f"{client:20} {passed:4} passed {failed:3} failed {skipped:3} skipped {seconds:6.0f} s"
        )
