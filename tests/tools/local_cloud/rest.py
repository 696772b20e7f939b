"""One HTTP request to a cloud, and its answer."""

import json
import urllib.error
import urllib.request
from email.message import Message
from typing import Any, NamedTuple


class Answer(NamedTuple):
    status: int
    body: Any
    headers: Message


def ask(url: str, method: str, body: Any, headers: dict[str, str]) -> Answer:
    """Send a request. body: bytes as they are, or what becomes JSON; None: none."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"content-type": "application/json", **headers}
    request = urllib.request.Request(url, data=data, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return _answer(response.status, response.read(), response.headers)
    except urllib.error.HTTPError as error:
        with error:
            return _answer(error.code, error.read(), error.headers)


def _answer(status: int, content: bytes, headers: Message) -> Answer:
    return Answer(status, json.loads(content) if content else None, headers)
