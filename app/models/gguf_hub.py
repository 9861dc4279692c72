"""Fetches a GGUF file from a model hub, once; a file that is already here needs no network.

huggingface_hub does the work: it knows the user's token, proxy, ``HF_ENDPOINT`` and ``HF_HUB_OFFLINE``. Its
own download begins anew after an interruption, so the partial file is kept here, and gone on with by its
entity tag. A file that another program left in the user's hub cache is used where it lies.
"""

from __future__ import annotations

import errno
import logging
import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from app.errors import PartMissing
from app.locations import weights_folder
from app.models.base import Progress
from app.models.checksum import sha256_of
from app.models.file_lock import file_lock

_SHA256_DIGITS = 64
"""A large file's entity tag is its checksum."""


def fetch_from_hub(repository: str, file: str, report: Callable[[Progress], None]) -> Path:
    """Blocks until the file is here. Raises PartMissing with what to do instead."""
    report(Progress(f"looking for {file}"))
    try:
        import httpx
        import huggingface_hub
        from huggingface_hub import errors
    except ImportError:
        fix = "pip install huggingface_hub, or download the file and use gguf:PATH"
        raise PartMissing("huggingface_hub is not installed", fix) from None
    ours = weights_folder() / "hub"
    for folder in (ours, None):
        found = huggingface_hub.try_to_load_from_cache(repository, file, cache_dir=folder)
        if isinstance(found, str):
            return Path(found)
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # its warnings would go over the screen
    missing: str
    try:
        # Asked once and without patience: the download itself would try an absent hub for half a minute.
        url = huggingface_hub.hf_hub_url(repository, file)
        about = huggingface_hub.get_hf_file_metadata(url, timeout=10)
        return _download(url, about, ours / f"models--{repository.replace('/', '--')}", file, report)
    except (errors.RepositoryNotFoundError, errors.EntryNotFoundError) as error:
        if isinstance(error, errors.LocalEntryNotFoundError):
            missing = f"{file} is not here and the model hub cannot be reached"
        else:
            missing = f"the model hub has no {repository}/{file}, or hides it from you"
    except errors.HfHubHTTPError as error:
        missing = f"the model hub answered {error.response.status_code} for {repository}/{file}"
    except (ConnectionError, httpx.TransportError):
        missing = f"{file} is not here and the model hub cannot be reached"
    except OSError as error:
        missing = f"{file} could not be fetched: {error.strerror or type(error).__name__}"
    except Exception as error:  # noqa: BLE001 (its HTTP library's errors share no base with ours)
        missing = f"{file} could not be fetched: {type(error).__name__}"
    raise PartMissing(missing, f"download {file} yourself and use gguf:PATH, or use smollm2") from None


def _download(url: str, about: Any, folder: Path, file: str, report: Callable[[Progress], None]) -> Path:
    """Fetch what ``about`` describes into ``folder``, laid out as a hub cache, going on with what is there.

    Raises OSError for a file that is not what the hub says it is.
    """
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils._headers import build_hf_headers

    tag = re.sub(r"\W", "", about.etag or "") or "unknown"
    commit = about.commit_hash or "main"
    partial, target = folder / f"{tag}.partial", folder / "snapshots" / commit / file
    target.parent.mkdir(parents=True, exist_ok=True)
    headers: dict[str, Any] = build_hf_headers()
    if urlsplit(about.location).netloc != urlsplit(url).netloc:
        headers.pop("authorization", None)  # another host's business, and not to be told the token
    with file_lock(folder / "lock", lambda: report(Progress(f"another program is fetching {file}"))):
        if not target.exists():
            here = partial.stat().st_size if partial.exists() else 0
            if about.size is not None and here > about.size:
                here = 0
            with partial.open("r+b" if here else "wb") as output:
                output.seek(here)
                http_get(
                    about.location,
                    output,
                    resume_size=here,
                    headers=headers,
                    expected_size=about.size,
                    tqdm_class=_reporting_bar(file, report),
                )
            if len(tag) == _SHA256_DIGITS and sha256_of(partial) != tag:
                partial.unlink()
                raise OSError(errno.EIO, "what came is not what the hub lists")
            partial.replace(target)
        (folder / "refs").mkdir(exist_ok=True)
        (folder / "refs" / "main").write_text(commit)
    return target


def _reporting_bar(file: str, report: Callable[[Progress], None]) -> Any:
    """A class with tqdm's interface that reports instead of drawing over the screen."""
    bar: Any = import_module("huggingface_hub.utils").tqdm  # untyped, and not among its declared exports

    class ReportingBar(bar):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs["disable"] = False
            kwargs.pop("name", None)
            super().__init__(*args, **kwargs)

        def display(self, msg: str | None = None, pos: int | None = None) -> bool:
            total = float(self.total or 0)
            if total > 0:
                report(Progress(f"fetching {file}", min(1.0, self.n / total)))
            return True

        def clear(self, *args: Any, **kwargs: Any) -> None:
            pass

    return ReportingBar
