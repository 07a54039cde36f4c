"""A proxy that does not pass on what the server answers to the first CompleteMultipartUpload."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

ADDRESS = "127.0.0.1"
CHUNK_BYTES = 65_536

# What the client gets instead, once the server has answered.
CLOSED = b""
TIMED_OUT = b"HTTP/1.1 524 A Timeout Occurred\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@contextmanager
def losing_proxy(port: int, instead: bytes | None) -> Iterator[int]:
    """Gives the port to connect to. Without `instead` the client hears nothing, and waits."""
    listener = socket.create_server((ADDRESS, 0))
    lost = threading.Event()
    threading.Thread(target=_accept, args=(listener, port, instead, lost), daemon=True).start()
    try:
        yield listener.getsockname()[1]
        assert lost.is_set(), "no answer was lost"
    finally:
        listener.close()


def _accept(
    listener: socket.socket, port: int, instead: bytes | None, lost: threading.Event
) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(client, port, instead, lost), daemon=True).start()


def _serve(client: socket.socket, port: int, instead: bytes | None, lost: threading.Event) -> None:
    # Closed at the end, and by whoever is done first in between.
    with client, socket.create_connection((ADDRESS, port)) as server, suppress(OSError):
        loses = threading.Event()
        answers = threading.Thread(
            target=_answer, args=(client, server, instead, loses), daemon=True
        )
        answers.start()
        while chunk := client.recv(CHUNK_BYTES):
            line = chunk.split(b"\r\n", 1)[0]
            if line.startswith(b"POST ") and b"uploadId=" in line and not lost.is_set():
                lost.set()
                loses.set()
            server.sendall(chunk)
        server.shutdown(socket.SHUT_WR)
        answers.join()


def _answer(
    client: socket.socket, server: socket.socket, instead: bytes | None, loses: threading.Event
) -> None:
    with suppress(OSError):
        while chunk := server.recv(CHUNK_BYTES):
            if not loses.is_set():
                client.sendall(chunk)
            elif instead is not None:
                client.sendall(instead)
                break
        if instead is not None or not loses.is_set():
            client.shutdown(socket.SHUT_RDWR)
