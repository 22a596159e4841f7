"""A model's server in a thread of this process: answers chat completions with "A", as fast as it is told to."""

from __future__ import annotations

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class StandIn(ThreadingHTTPServer):
    """delay_s: seconds that an answer takes. asked: the first line of each question that came."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.delay_s = 0.0
        self.asked: list[str] = []
        self.base_url = f"http://127.0.0.1:{self.server_address[1]}/v1"
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> StandIn:
        self._thread.start()
        return self

    def handle_error(self, *of: object) -> None:
        """A caller that does not wait for its answer is none of its errors; any other one is."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(*of)

    def __exit__(self, *error: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: StandIn

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        content = body["messages"][-1]["content"]
        text = content if isinstance(content, str) else next(part["text"] for part in content if part["type"] == "text")
        self.server.asked.append(text.partition("\n")[0])
        time.sleep(self.server.delay_s)
        message = {"role": "assistant", "content": "A"}
        tokens = len(text) // 4 + 8
        self._say(
            {
                "id": "stand-in",
                "object": "chat.completion",
                "created": 0,
                "model": body["model"],
                "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
                "usage": {"prompt_tokens": tokens, "completion_tokens": 2, "total_tokens": tokens + 2},
            }
        )

    def do_GET(self) -> None:
        self._say({"object": "list", "data": []})

    def _say(self, document: object) -> None:
        data = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *said: object) -> None:
        """Nobody reads it."""
