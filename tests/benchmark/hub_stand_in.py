"""A stand-in of the Hugging Face hub: one repository (data or a model) over HTTP on this machine, with the faults that a test asks for."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
PAGE = 3


class Hub:
    """files: content by path. cut: how often a file's connection is closed in the middle. refuse: HTTP status by path.

    served: other content than the listing says. gated: answers as the hub does for such a repository. requests: (method, path, Range
    header) of every file that was asked for.
    """

    def __init__(self, repository: str, files: dict[str, bytes], kind: str = "datasets") -> None:
        self.repository = repository
        self.kind = kind
        self.files = files
        self.cut: Counter[str] = Counter()
        self.refuse: dict[str, int] = {}
        self.served: dict[str, bytes] = {}
        self.gated = False
        self.requests: list[tuple[str, str, str]] = []
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                hub._answer(self, body=True)

            def do_HEAD(self) -> None:
                hub._answer(self, body=False)

            def log_message(self, *_arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def got(self, path: str) -> list[str]:
        """The Range headers with which a file's bytes were asked for."""
        return [ranged for method, asked, ranged in self.requests if method == "GET" and asked == path]

    def _answer(self, request: BaseHTTPRequestHandler, *, body: bool) -> None:
        url = urlsplit(request.path)
        api = f"/api/{self.kind}/{self.repository}"
        resolve = f"/{'' if self.kind == 'models' else f'{self.kind}/'}{self.repository}/resolve/{COMMIT}/"
        if url.path.startswith("/api/") and not url.path.startswith(api):
            self._json(request, 404, {"error": "Repository not found"}, {"X-Error-Code": "RepoNotFound"})
        elif self.gated:
            self._json(request, 403, {"error": "gated"}, {"X-Error-Code": "GatedRepo"})
        elif url.path in (f"{api}/revision/main", f"{api}/revision/{COMMIT}", api):
            siblings = [{"rfilename": name} for name in sorted(self.files)] if self.kind == "models" else []
            self._json(request, 200, {"id": self.repository, "sha": COMMIT, "private": False, "tags": [], "siblings": siblings})
        elif url.path.startswith(f"{api}/revision/"):
            self._json(request, 404, {"error": "Invalid rev id"}, {"X-Error-Code": "RevisionNotFound"})
        elif url.path.startswith(f"{api}/tree/{COMMIT}"):
            self._tree(request, int(parse_qs(url.query).get("cursor", ["0"])[0]), url.path)
        elif url.path.startswith(resolve):
            self._file(request, unquote(url.path.removeprefix(resolve)), body)
        else:
            self._json(request, 404, {"error": "not found"})

    def _tree(self, request: BaseHTTPRequestHandler, start: int, path: str) -> None:
        listed = [self._entry(name, content) for name, content in sorted(self.files.items())]
        after = start + PAGE
        link = {"Link": f'<{self.url}{path}?recursive=true&cursor={after}>; rel="next"'} if after < len(listed) else {}
        self._json(request, 200, listed[start:after], link)

    def _entry(self, name: str, content: bytes) -> dict[str, Any]:
        entry: dict[str, Any] = {"type": "file", "path": name, "size": len(content)}
        if name.endswith(".zip"):
            entry |= {"oid": "0" * 40, "lfs": {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 130}}
        else:
            entry["oid"] = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        return entry

    def _file(self, request: BaseHTTPRequestHandler, name: str, body: bool) -> None:
        ranged = request.headers.get("Range", "")
        self.requests.append((request.command, name, ranged))
        if name in self.refuse:
            self._json(request, self.refuse[name], {"error": "no"})
            return
        content = self.served.get(name, self.files[name])
        start = int(ranged.removeprefix("bytes=").partition("-")[0]) if ranged else 0
        part = content[start:]
        request.send_response(206 if ranged else 200)
        request.send_header("X-Repo-Commit", COMMIT)
        request.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        request.send_header("Accept-Ranges", "bytes")
        if ranged:
            request.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        request.send_header("Content-Length", str(len(part)))
        request.end_headers()
        if not body:
            return
        if self.cut[name] > 0:
            self.cut[name] -= 1
            request.wfile.write(part[: len(part) // 2])
            request.wfile.flush()
            request.close_connection = True
            request.connection.close()
            return
        request.wfile.write(part)

    def _json(self, request: BaseHTTPRequestHandler, status: int, document: Any, headers: dict[str, str] | None = None) -> None:
        content = json.dumps(document).encode()
        request.send_response(status)
        for key, value in (headers or {}).items():
            request.send_header(key, value)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        if request.command != "HEAD":
            request.wfile.write(content)
