"""An issuer of OIDC tokens on this machine."""

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import rsa

AUDIENCE = "https://coreweave.com/iam"
_KEY_BITS = 2048


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _number(value: int) -> str:
    return _base64url(value.to_bytes((value.bit_length() + 7) // 8, "big"))


class Issuer:
    def __init__(self) -> None:
        public_key, self._private_key = rsa.newkeys(_KEY_BITS)
        key = {"kty": "RSA", "kid": "1", "alg": "RS256", "use": "sig"}
        key |= {"n": _number(public_key.n), "e": _number(public_key.e)}
        documents: dict[str, Any] = {"/keys": {"keys": [key]}}

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                document = documents.get(self.path)
                self.send_response(404 if document is None else 200)
                self.end_headers()
                self.wfile.write(json.dumps(document).encode())

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        discovery = {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
        documents["/.well-known/openid-configuration"] = discovery
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def token(self, subject: str) -> str:
        now = int(time.time())
        claims = {"iss": self.url, "aud": AUDIENCE, "sub": subject, "iat": now, "exp": now + 600}
        header = {"alg": "RS256", "kid": "1", "typ": "JWT"}
        parts = [_base64url(json.dumps(part).encode()) for part in (header, claims)]
        signed = ".".join(parts)
        signature = rsa.sign(signed.encode(), self._private_key, "SHA-256")
        return f"{signed}.{_base64url(signature)}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
