"""A model file comes from a hub once, with progress; without a hub the user is told what to do."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

FILE = os.urandom(300_000)
PROGRAM = """
import json
from app.errors import PartMissing
from app.models.gguf_hub import fetch_from_hub

said = []
try:
    path = fetch_from_hub("some/repository", "model.gguf", lambda progress: said.append(progress.fraction))
    print(json.dumps({"path": str(path), "fractions": [f for f in said if f is not None]}))
except PartMissing as error:
    print(json.dumps({"message": error.message, "fix": error.fix}))
"""


class Hub(BaseHTTPRequestHandler):
    """As much of a model hub's protocol as one file needs."""

    asked = 0
    file = FILE
    pause = 0.0
    """Seconds between two megabytes: progress is told ten times a second."""
    ranges: list[str] = []  # noqa: RUF012

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name in the library)
        """Silence."""

    def do_HEAD(self) -> None:
        type(self).asked += 1
        if self.path != "/some/repository/resolve/main/model.gguf":
            self.send_response(404)
            self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self._headers()

    def do_GET(self) -> None:
        type(self).asked += 1
        given = self.headers.get("Range", "")
        if self.path.endswith(".gguf"):
            type(self).ranges.append(given)
        start = int(given.removeprefix("bytes=").removesuffix("-") or 0)
        self._headers(start)
        with suppress(ConnectionError):  # a reader that leaves in the middle
            for place in range(start, len(self.file), 1 << 20):
                self.wfile.write(self.file[place : place + (1 << 20)])
                time.sleep(self.pause)

    def _headers(self, start: int = 0) -> None:
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(self.file) - 1}/{len(self.file)}")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("X-Repo-Commit", "0" * 40)
        self.send_header("ETag", '"one"')
        self.send_header("Content-Length", str(len(self.file) - start))
        self.end_headers()


@pytest.fixture
def hub() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def fetch(home: Path, endpoint: str, program: str = PROGRAM) -> dict[str, Any]:
    """In a process of its own, since the hub's library reads its settings when it is imported."""
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    env = kept | {"HF_ENDPOINT": endpoint, "HF_HOME": str(home / "hf"), "MONKEYS_HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True, timeout=100
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_fetched_with_progress_and_never_asked_for_again(hub: str, tmp_path: Path) -> None:
    answer = fetch(tmp_path, hub)
    path = Path(answer["path"])
    assert path.read_bytes() == FILE
    assert path.is_relative_to(tmp_path)
    assert answer["fractions"][-1] == 1.0
    asked = Hub.asked
    assert fetch(tmp_path, hub)["path"] == str(path)
    assert Hub.asked == asked


def test_a_fetch_that_was_killed_goes_on_where_it_stopped(
    hub: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hub's library reads ten megabytes at a time, so the file is larger than that."""
    monkeypatch.setattr(Hub, "file", os.urandom(1 << 20) * 25)
    monkeypatch.setattr(Hub, "ranges", [])
    monkeypatch.setattr(Hub, "pause", 0.04)
    killed = PROGRAM.replace(
        "said.append(progress.fraction)",
        "print(json.dumps({}), flush=True) or os._exit(0) if (progress.fraction or 0) > 0.5 else None",
    )
    assert fetch(tmp_path, hub, "import os\n" + killed) == {}
    answer = fetch(tmp_path, hub)
    assert Path(answer["path"]).read_bytes() == Hub.file
    first, second = Hub.ranges
    assert not first
    assert int(second.removeprefix("bytes=").removesuffix("-")) >= 10_000_000
    assert answer["fractions"][0] > 0.3
    assert answer["fractions"][-1] == 1.0


def test_a_file_that_the_hub_lacks(hub: str, tmp_path: Path) -> None:
    answer = fetch(tmp_path, hub, PROGRAM.replace("model.gguf", "other.gguf"))
    assert "other.gguf" in answer["message"]
    assert "gguf:PATH" in answer["fix"]


def test_without_a_hub_the_fix_is_told(tmp_path: Path) -> None:
    answer = fetch(tmp_path, "http://127.0.0.1:9")
    assert answer["message"] == "model.gguf is not here and the model hub cannot be reached"
    assert "gguf:PATH" in answer["fix"]
