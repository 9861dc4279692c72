"""What one server was found to want or refuse, and requests written its way.

"OpenAI-compatible" servers differ in a handful of fields: some refuse ``n``, ``seed`` or ``stream_options``,
reasoning models refuse a temperature and call the limit ``max_completion_tokens``. Each is met once: the
refusal, which costs nothing, is read, the field is dropped or renamed, and no later request asks again. The
limit on tokens and the stop strings are never dropped, because the budget and the samples rest on them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from app.models.base import Request
from app.models.openai_faults import Refusal

_UNKNOWN = re.compile(
    r"unsupported|not supported|not support|unrecognized|unknown|unexpected|extra|deprecated|not permitted"
    r"|not allowed|only the default|not available|must be 1\b|not implemented|invalid (argument|parameter)"
    r"|cannot be (set|used)|incompatible",
    re.IGNORECASE,
)
_FEWEST_STOPS = 4
"""As many as OpenAI itself takes."""
_DROPPABLE = ("temperature", "top_p", "seed", "stream_options", "n", "logprobs")


@dataclass(slots=True)
class Habits:
    """``choices`` is the most a request may ask for; ``stops`` the most stop strings.
    ``dropped`` are fields that are not sent any more."""

    choices: int
    limit: str = "max_tokens"
    stops: int | None = None
    logprobs: bool = False
    running_counts: bool = False
    dropped: set[str] = field(default_factory=set)

    @property
    def notes(self) -> list[str]:
        """What a user should know: settings that samples are not drawn with."""
        found = [
            f"The server does not take {name.replace('_', '-')}; its own setting is in force."
            for name in ("temperature", "top_p", "seed")
            if name in self.dropped
        ]
        if self.stops is not None:
            found.append(f"The server takes {self.stops} stop strings; the others are not in force.")
        return found

    def fields(self, request: Request, choices: int) -> dict[str, Any]:
        """The request's fields besides its model and its prompt."""
        settings = request.settings
        fields: dict[str, Any] = {
            self.limit: settings.max_tokens,
            "temperature": settings.temperature,
            "seed": request.seed & 0x7FFF_FFFF_FFFF_FFFF,
            "stream_options": {"include_usage": True},
        }
        if settings.top_p is not None:
            fields["top_p"] = settings.top_p
        if settings.stop:
            fields["stop"] = list(settings.stop[: self.stops])
        if choices > 1:
            fields["n"] = choices
        if self.logprobs:
            fields["logprobs"] = True if request.prompt.text is None else 1
        if self.running_counts:
            fields["stream_options"]["continuous_usage_stats"] = True
        return {name: value for name, value in fields.items() if name not in self.dropped}

    def learn(self, refusal: Refusal, sent: dict[str, Any]) -> bool:
        """Change a habit that ``refusal`` objects to. False if it is about something else.

        ``sent`` are the refused request's own fields: another request may have learnt the same meanwhile.
        """
        if refusal.status not in (400, 404, 422, 501) or refusal.is_about_context:
            return False
        told = refusal.told
        if self._renames_limit(refusal) and "max_tokens" in sent:
            self.limit = "max_completion_tokens"
            return True
        if len(sent.get("stop", ())) > _FEWEST_STOPS and (told.param == "stop" or _names(told.words, "stop")):
            self.stops = _FEWEST_STOPS
            return True
        if not _UNKNOWN.search(told.words):
            return False
        for name in _DROPPABLE:
            if name in sent and (told.param == name or _names(told.words, name)):
                self._drop(name, sent)
                return True
        return False

    def _renames_limit(self, refusal: Refusal) -> bool:
        told = refusal.told
        about_limit = told.param == "max_tokens" or _names(told.words, "max_tokens")
        return about_limit and (
            "max_completion_tokens" in told.words or _UNKNOWN.search(told.words) is not None
        )

    def _drop(self, name: str, sent: dict[str, Any]) -> None:
        if name == "n":
            self.choices = 1
        elif name == "stream_options" and "continuous_usage_stats" in sent[name]:
            self.running_counts = False  # the plain option may still be taken
        else:
            self.dropped.add(name)


def _names(words: str, name: str) -> bool:
    """Whether a message speaks of a field: ``n`` only in quotes or before an equals sign."""
    if name == "n":
        return bool(re.search(r"['\"`]n['\"`]|\bn\s*[=>:]|\bparameter n\b|\bbest_of\b", words))
    return bool(re.search(rf"(?<![\w]){name}(?!\w)", words))
