"""Fetches a GGUF file from a model hub, once; a file that is already here needs no network.

huggingface_hub does the work: it knows the user's token, proxy, ``HF_ENDPOINT`` and ``HF_HUB_OFFLINE``, and
resumes what was interrupted. A file that another program left in the user's hub cache is used where it lies.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from app.errors import PartMissing
from app.locations import weights_folder
from app.models.base import Progress


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
        huggingface_hub.get_hf_file_metadata(huggingface_hub.hf_hub_url(repository, file), timeout=10)
        return Path(
            huggingface_hub.hf_hub_download(
                repository, file, cache_dir=ours, tqdm_class=_reporting_bar(file, report)
            )
        )
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
