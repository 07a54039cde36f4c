"""A network that breaks: passes bytes on to a server and cuts the first connections short."""

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

ADDRESS = "127.0.0.1"
CHUNK_BYTES = 65_536


@contextmanager
def cutting_proxy(
    port: int, *, up_bytes: Sequence[int] = (), down_bytes: Sequence[int] = ()
) -> Iterator[int]:
    """Gives the port to connect to.

    The n-th connection is cut after `up_bytes[n]` bytes from the client, or `down_bytes[n]` bytes
    from the server; those after the end of both lists are never cut.
    """
    listener = socket.create_server((ADDRESS, 0))
    threading.Thread(
        target=_accept, args=(listener, port, up_bytes, down_bytes), daemon=True
    ).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()


def _accept(
    listener: socket.socket, port: int, up_bytes: Sequence[int], down_bytes: Sequence[int]
) -> None:
    number = 0
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        server = socket.create_connection((ADDRESS, port))
        for source, target, limits in ((client, server, up_bytes), (server, client, down_bytes)):
            limit = limits[number] if number < len(limits) else None
            threading.Thread(target=_pass_on, args=(source, target, limit), daemon=True).start()
        number += 1


def _pass_on(source: socket.socket, target: socket.socket, limit: int | None) -> None:
    passed = 0
    try:
        while limit is None or passed < limit:
            size = CHUNK_BYTES if limit is None else min(CHUNK_BYTES, limit - passed)
            chunk = source.recv(size)
            if not chunk:
                break
            target.sendall(chunk)
            passed += len(chunk)
    except OSError:
        pass
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
