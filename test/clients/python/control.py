"""The control API of a server, called by its operator."""

import json
import urllib.request
from dataclasses import dataclass
from typing import Any

from server import Server


@dataclass(frozen=True)
class Control:
    server: Server

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            self.server.admin_endpoint + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    @property
    def token(self) -> str:
        return (self.server.log_file.parent / "data" / "admin-token").read_text().strip()

    def allow(self, principal: str, name: str, actions: list[str]) -> None:
        statement = {"name": "allow", "effect": "Allow", "actions": actions}
        statement |= {"resources": ["*"], "principals": [principal]}
        policy = {"version": "v1alpha1", "name": name, "statements": [statement]}
        self("POST", "/v1/cwobject/access-policy", {"policy": policy})
