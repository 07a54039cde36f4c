"""A proxy that tunnels to this machine alone: programs in Go have a resolver of their own, which
knows no name under localhost, and leave names to a proxy when they have one."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

ADDRESS = "127.0.0.1"
CHUNK_BYTES = 65_536
REQUEST_BYTES_MAX = 8_192


@contextmanager
def tunnel() -> Iterator[str]:
    """Gives the URL for HTTPS_PROXY."""
    listener = socket.create_server((ADDRESS, 0))
    threading.Thread(target=_accept, args=(listener,), daemon=True).start()
    try:
        yield f"http://{ADDRESS}:{listener.getsockname()[1]}"
    finally:
        listener.close()


def _accept(listener: socket.socket) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_open, args=(client,), daemon=True).start()


def _open(client: socket.socket) -> None:
    """Answers `CONNECT host:port`, whatever the host, and passes bytes on from then."""
    request = b""
    while b"\r\n\r\n" not in request and len(request) < REQUEST_BYTES_MAX:
        chunk = client.recv(CHUNK_BYTES)
        if not chunk:
            return
        request += chunk
    port = int(request.split(b" ")[1].rsplit(b":", 1)[1])
    server = socket.create_connection((ADDRESS, port))
    client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
    threading.Thread(target=_pass_on, args=(client, server), daemon=True).start()
    _pass_on(server, client)


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    try:
        while chunk := source.recv(CHUNK_BYTES):
            target.sendall(chunk)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass
