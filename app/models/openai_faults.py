"""What went wrong with a request to an OpenAI-compatible server, as the few kinds that matter.

The kinds decide about money and about trying again. ``refused``, ``rate-limit``, ``auth`` and ``context`` say
that no model worked on the request, so that nothing is owed; all others say that one may have.

The server's own words are quoted, but cleaned, cut short, and without the key, which some servers echo.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import msgspec

from app.models.base import BackendError
from verifiers.safe_text import clean

if TYPE_CHECKING:
    import openai

_LONGEST_QUOTE = 300
_LONGEST_WAIT = 3600.0
_KEY_LIKE = re.compile(r"\b(?:sk|pk|rk|gsk|hf|xai)[-_][\w*-]{8,}|\bBearer\s+\S{8,}", re.IGNORECASE)
_IN_ADDRESS = re.compile(r"(?<=://)[^/\s@\"']+@")
_CONTEXT = re.compile(
    r"context[ _](length|window|size)|maximum context|(prompt|input)[\w ]* too long|too many (input )?tokens"
    r"|exceeds? the (model's )?(max(imum)? )?(input|context|sequence)",
    re.IGNORECASE,
)
_FILTER = re.compile(r"content[ _]?(filter|policy|management)|moderation|safety system", re.IGNORECASE)
_NO_MODEL = re.compile(
    r"model[ _]not[ _]found|model\b.{0,200}\b(does not|doesn't) exist|unknown model|no such model"
    r"|model\b.{0,200}\bnot found|not a valid model|invalid model",
    re.IGNORECASE | re.DOTALL,
)
_TLS = re.compile(r"\[SSL|SSL: |SSLError|CERTIFICATE|WRONG_VERSION")
_NO_CREDIT = re.compile(
    r"insufficient[ _](quota|credit|balance|funds)|exceeded your current quota|billing", re.IGNORECASE
)


class Told(msgspec.Struct, frozen=True):
    """The words of an error answer: ``param`` is the field of the request that it is about."""

    message: str = ""
    code: str = ""
    param: str = ""

    @property
    def words(self) -> str:
        return f"{self.message} {self.code}"


class Refusal(msgspec.Struct, frozen=True):
    """An answer with a bad status: what the server said, and when it wants to be asked again (seconds)."""

    status: int
    told: Told
    retry_after: float | None = None

    @property
    def is_missing_model(self) -> bool:
        return self.status in (400, 404) and bool(_NO_MODEL.search(self.told.words))

    @property
    def is_about_context(self) -> bool:
        return self.status in (400, 413, 422) and bool(_CONTEXT.search(self.told.words))


def read_refusal(error: openai.APIStatusError, key: str) -> Refusal:
    """What an error of the openai client says; ``key`` is kept out of it."""
    response = error.response
    try:
        body: object = msgspec.json.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        body = response.text
    return Refusal(response.status_code, _told(body, key), retry_after(response.headers))


def fault_of(refusal: Refusal, server: str) -> BackendError:
    """The fault that an answer with a bad status stands for. ``server`` is its name for people."""
    status, said = refusal.status, refusal.told.message
    quote = f": {said}" if said else "."

    def fault(kind: str, message: str, *, retry: bool = False) -> BackendError:
        return BackendError(kind, message, retry=retry, retry_after=refusal.retry_after)

    if refusal.is_about_context:
        return fault("context", f"The prompt and the answer do not fit the model's context{quote}")
    if status in (401, 403):
        return fault("auth", f"{server} does not accept the key ({status}){quote}")
    if status == 402 or (status == 429 and _NO_CREDIT.search(refusal.told.words)):
        return fault("rate-limit", f"The account at {server} has no credit left ({status}){quote}")
    if status == 429:
        return fault("rate-limit", f"{server} asks for fewer requests (429){quote}", retry=True)
    if status in (503, 529):
        return fault("rate-limit", f"{server} is overloaded ({status}){quote}", retry=True)
    if status in (408, 409, 425) or status >= 500:
        return fault("server", f"{server} failed ({status}){quote}", retry=True)
    if _FILTER.search(refusal.told.words):
        return fault("refused", f"The content filter of {server} refused the prompt{quote}")
    if status < 400:
        return fault("refused", f"{server} redirects requests elsewhere ({status}); check the base URL.")
    return fault("refused", f"{server} refused the request ({status}){quote}")


def fault_in_stream(error: object) -> BackendError:
    """The fault behind an error event. Tokens may have been made before it, so it is never "not owed"."""
    told = _told({"error": error}, "")
    final = _CONTEXT.search(told.words) or _FILTER.search(told.words) or _NO_CREDIT.search(told.words)
    quote = f": {told.message}" if told.message else "."
    return BackendError("server", f"The server broke off with an error{quote}", retry=not final)


def fault_of_connection(error: BaseException, server: str, *, sent: bool) -> BackendError:
    """The fault behind an exception of the network. ``sent``: the request may have reached the model."""
    names = {type(link).__name__ for link in causes_of(error)}
    words = " ".join(str(link) for link in causes_of(error))
    if "ConnectTimeout" in names:
        return BackendError("refused", f"{server} does not answer.", retry=True)
    if names & {"ConnectError", "UnsupportedProtocol", "ProxyError"}:
        if _TLS.search(words):
            hint = (
                "its certificate is not trusted"
                if "CERTIFICATE" in words.upper()
                else "it may speak plain http: try http:// in the base URL"
            )
            return BackendError("refused", f"{server} cannot be reached over https: {hint}.", retry=False)
        unknown = re.search("getaddrinfo|Name or service|nodename nor servname|resolve host", words)
        reason = "its name is not known" if unknown else "it is refused"
        return BackendError("refused", f"No connection to {server}: {reason}.", retry=True)
    if any("Timeout" in name for name in names):
        return BackendError("timeout", f"{server} fell silent.", retry=True)
    if not sent and "LocalProtocolError" in names:
        return BackendError("refused", "The request cannot be sent: is the key one line?", retry=False)
    return BackendError("crashed", f"The connection to {server} broke.", retry=True)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait as an answer asks for them, at most an hour.

    A date is read against the answer's own date: the two clocks need not agree.
    """
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            return min(max(0.0, float(headers[name]) * unit), _LONGEST_WAIT)
        except (KeyError, ValueError):
            continue
    try:
        then = parsedate_to_datetime(headers["retry-after"])
        return min(max(0.0, (then - parsedate_to_datetime(headers["date"])).total_seconds()), _LONGEST_WAIT)
    except (KeyError, ValueError, TypeError):
        return None


def harmless(text: str, key: str = "") -> str:
    """A server's words as one short clean line without keys."""
    if len(key) >= 4:
        text = text.replace(key, "***")
    text = " ".join(clean(_IN_ADDRESS.sub("***@", _KEY_LIKE.sub("***", text))).split())
    return text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 1] + "…"


def _told(body: object, key: str) -> Told:
    """The words in an error body, of which there are as many shapes as servers."""
    fields = body.get("error", body) if isinstance(body, dict) else body
    if not isinstance(fields, dict):
        text = fields if isinstance(fields, str) else ""
        return Told(harmless("" if "<html" in text[:500].lower() else text, key))
    message = fields.get("message") or fields.get("detail") or fields.get("msg") or ""
    if not isinstance(message, str):
        message = msgspec.json.encode(message).decode()
    code, param = fields.get("code") or fields.get("type"), fields.get("param")
    return Told(
        harmless(message, key),
        harmless(str(code or ""), key),
        param if isinstance(param, str) else "",
    )


def causes_of(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found and len(found) < 10:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found
