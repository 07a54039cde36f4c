"""Every name under localhost is this machine.

Python runs this file when it starts with this directory on PYTHONPATH: so do the suite itself, the
AWS CLI and s3cmd. The resolver of a plain Debian knows `localhost`, but no name under it.
"""

import socket
from typing import Any

_resolve = socket.getaddrinfo


def _resolve_loopback(host: Any, *rest: Any, **options: Any) -> Any:
    if isinstance(host, str) and (host == "localhost" or host.endswith(".localhost")):
        host = "127.0.0.1"
    return _resolve(host, *rest, **options)


socket.getaddrinfo = _resolve_loopback
