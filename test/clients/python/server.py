"""A real `lode serve` of two workers, over a temporary data directory."""

import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
WORKERS = 2
READY_WITHIN_SECONDS = 60
STOPPED_WITHIN_SECONDS = 60

# Most TLS libraries refuse the wildcard `*.localhost`, which has one dot alone.
TLS_BASE_DOMAIN = "s3.localhost"


@dataclass(frozen=True)
class Certificate:
    """Self-signed, hence also the authority that clients have to trust."""

    file: Path
    key_file: Path

    @staticmethod
    def make(directory: Path) -> "Certificate":
        made = Certificate(directory / "certificate.pem", directory / "key.pem")
        names = f"IP:127.0.0.1,DNS:localhost,DNS:{TLS_BASE_DOMAIN},DNS:*.{TLS_BASE_DOMAIN}"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
            + ["-nodes", "-days", "2", "-subj", "/CN=localhost"]
            + ["-addext", f"subjectAltName={names}"]
            + ["-keyout", str(made.key_file), "-out", str(made.file)],
            check=True,
            capture_output=True,
            timeout=60,
        )
        return made


class Server:
    """Started by its constructor, which returns when it accepts requests."""

    access_key_id = "LODETESTACCESSKEY000"
    # With the characters that clients are known to encode wrongly.
    secret = "lode/test+secret/0123456789abcdefABCDEF0"

    def __init__(self, directory: Path, certificate: Certificate | None = None) -> None:
        self.certificate = certificate
        self.log_file = directory / "server.log"
        flags = ["--data", str(directory / "data"), "--workers", str(WORKERS)]
        flags += ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]
        if certificate is not None:
            flags += ["--tls-cert", str(certificate.file), "--tls-key", str(certificate.key_file)]
            flags += ["--base-domain", TLS_BASE_DOMAIN]
        node = ROOT / "node_modules" / ".bin" / "node"
        with self.log_file.open("wb") as log:
            self._process = subprocess.Popen(
                [str(node), "bin/lode", "serve", *flags],
                cwd=ROOT,
                env={
                    "PATH": os.environ["PATH"],
                    "LODE_ROOT_ACCESS_KEY_ID": self.access_key_id,
                    "LODE_ROOT_SECRET_ACCESS_KEY": self.secret,
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.endpoint, self.admin_endpoint = self._ready()
        self.port = int(self.endpoint.rsplit(":", 1)[1])

    def stop(self) -> int:
        """Drains, and gives the exit code: negative for the signal that had to end it."""
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(STOPPED_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            self._kill()
            return self._process.wait()

    def log_bytes(self) -> int:
        return self.log_file.stat().st_size

    def log_since(self, offset: int) -> str:
        with self.log_file.open("rb") as log:
            log.seek(offset)
            return log.read().decode(errors="replace")

    def _ready(self) -> tuple[str, str]:
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            line = re.search(r"^ready s3=(\S+) admin=(\S+)$", self.log_since(0), re.MULTILINE)
            if line is not None:
                return line[1], line[2]
            time.sleep(0.05)
        if self._process.poll() is None:
            self._kill()
        raise RuntimeError(f"lode serve did not get ready:\n{self.log_since(0)}")

    def _kill(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
