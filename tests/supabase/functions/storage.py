"""As much of Supabase Storage as archiving needs, in memory, in front of the REST of a local cloud.

Source: the requests that @supabase/storage-js makes for createBucket, list, upload, download and remove.
"""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tools.local_cloud.process_io import CloudProcess

PREFIX = "/storage/v1/"


class Storage:
    """objects: content by bucket and path. spoil: changes what is read back.

    meanwhile: called with the name of a function of the database before it is called there.
    """

    def __init__(self, cloud: CloudProcess) -> None:
        self.buckets: dict[str, bool] = {}
        self.objects: dict[str, bytes] = {}
        self.types: dict[str, str] = {}
        self.spoil = False
        self.meanwhile: Callable[[str], None] = lambda function: None
        self._cloud = cloud
        storage = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                storage._answer(self)

            def do_GET(self) -> None:
                storage._answer(self)

            def do_DELETE(self) -> None:
                storage._answer(self)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("content-length") or 0))
        if request.path.startswith(PREFIX):
            assert request.headers["apikey"] == self._cloud.secret_key
            status, content = self._store(request, request.path.removeprefix(PREFIX), body)
        else:
            status, content = self._pass_on(request, body)
        request.send_response(status)
        request.send_header("content-length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    def _store(self, request: BaseHTTPRequestHandler, path: str, body: bytes) -> tuple[int, bytes]:
        if path == "bucket":
            asked = json.loads(body)
            self.buckets[asked["id"]] = asked["public"]
            return 200, b"{}"
        kind, _, rest = path.partition("/")
        assert kind == "object"
        name = rest.removeprefix("list/")
        if name.partition("/")[0] not in self.buckets:
            return 400, b'{"statusCode":"404","error":"Bucket not found","message":"Bucket not found"}'
        if rest.startswith("list/"):
            return 200, self._list(name, json.loads(body)["prefix"])
        if request.command == "DELETE":
            for path in json.loads(body)["prefixes"]:
                self.objects.pop(f"{name}/{path}", None)
            return 200, b"[]"
        if request.command == "POST":
            if name in self.objects and request.headers.get("x-upsert") != "true":
                return (
                    400,
                    b'{"statusCode":"409","error":"Duplicate","message":"The resource already exists"}',
                )
            self.objects[name], self.types[name] = body, request.headers["content-type"]
            return 200, json.dumps({"Key": name}).encode()
        content = self.objects.get(name)
        if content is None:
            return 400, b'{"statusCode":"404","error":"not_found","message":"Object not found"}'
        return 200, content[:-1] + b"?" if self.spoil else content

    def _list(self, bucket: str, folder: str) -> bytes:
        inside = f"{bucket}/{folder}/"
        found = [
            {"name": name.removeprefix(inside), "id": name, "metadata": {"size": len(content)}}
            for name, content in sorted(self.objects.items())
            if name.startswith(inside) and "/" not in name.removeprefix(inside)
        ]
        return json.dumps(found).encode()

    def _pass_on(self, request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, bytes]:
        self.meanwhile(request.path.rpartition("/")[2])
        headers = {name: request.headers[name] for name in ("apikey", "content-type")}
        passed = urllib.request.Request(
            self._cloud.url + request.path, data=body, method="POST", headers=headers
        )
        try:
            with urllib.request.urlopen(passed, timeout=60) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()
