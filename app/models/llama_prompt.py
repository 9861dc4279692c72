"""Turns a prompt into the model's own tokens, so that nothing a user writes can act as a control token.

The model's chat template is applied by the server to *stand-ins* for the messages, and the message texts are
put in where the stand-ins came out. A text that contains no control token (nearly every one) is tokenised
together with the template around it, as the model was trained. Only a text that would be read as one, such
as ``<|im_end|>``, is tokenised apart, as plain characters.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from typing import TYPE_CHECKING, Any

from app.errors import BadInput
from app.models.base import Message, Prompt

if TYPE_CHECKING:
    import aiohttp

MARGIN_BEFORE_OPEN = 512
"""Tokens added to the bound while the template is unknown: default system messages are about 40 to 200."""
MARGIN_PER_MESSAGE = 32
_MOST_REMEMBERED = 2048  # prompts


class PromptReader:
    """Reads prompts for one model. ``at_most`` works at any time, the rest once ``connect`` has run."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None
        self._reading = asyncio.Lock()
        self._read: dict[Prompt, tuple[int, ...]] = {}
        self._first, self._each = MARGIN_BEFORE_OPEN, MARGIN_PER_MESSAGE

    async def connect(self, session: aiohttp.ClientSession) -> None:
        """Learn how much the template adds: a fixed part, and a part for each message."""
        self._session = session
        user, assistant = Message("user", "x"), Message("assistant", "x")
        short = len(await self._tokens(Prompt((user,))))
        long = len(await self._tokens(Prompt((user, assistant, user))))
        self._first, self._each = short + 2, max(long - short, 0) + 2

    def at_most(self, prompt: Prompt) -> int:
        """Exact for a prompt already read. Else one token a byte, the finest that any vocabulary splits text
        into, and what the template adds."""
        if (known := self._read.get(prompt)) is not None:
            return len(known)
        if prompt.text is not None:
            return len(prompt.text.encode("utf-8", "replace")) + 4
        size = sum(len(message.content.encode("utf-8", "replace")) for message in prompt.messages)
        return size + self._first + self._each * len(prompt.messages)

    async def read(self, prompt: Prompt) -> tuple[int, ...]:
        """The tokens of ``prompt``, template included; read once for each prompt. Raises BadInput
        where the model's template refuses the messages."""
        if (known := self._read.get(prompt)) is not None:
            return known
        async with self._reading:
            if (known := self._read.get(prompt)) is not None:
                return known
            tokens = tuple(await self._tokens(prompt))
        if len(self._read) >= _MOST_REMEMBERED:
            self._read.pop(next(iter(self._read)))
        self._read[prompt] = tokens
        return tokens

    async def _tokens(self, prompt: Prompt) -> list[int]:
        if prompt.text is not None:
            return await self._tokenise(prompt.text, control=False, opening=True)
        texts = [_encodable(message.content) for message in prompt.messages]
        parts = await self._around(prompt.messages)
        plain = [not isinstance(part, int) or not await self._has_control(texts[part]) for part in parts]
        if all(plain):
            whole = "".join(texts[part] if isinstance(part, int) else part for part in parts)
            return await self._tokenise(whole, control=True, opening=True)
        tokens: list[int] = []
        for place, part in enumerate(parts):
            if isinstance(part, int):
                tokens += await self._tokenise(texts[part], control=False, opening=False)
            else:
                tokens += await self._tokenise(part, control=True, opening=place == 0)
        return tokens

    async def _around(self, messages: tuple[Message, ...]) -> list[str | int]:
        """The template's own text in order, with the index of a message wherever its text belongs."""
        mark = secrets.token_hex(8)
        stand_ins = [
            {"role": message.role, "content": f"{mark}-{index}-"} for index, message in enumerate(messages)
        ]
        found = re.compile(f"{mark}-(\\d+)-")
        rendered = await self._render(stand_ins)
        if rendered is None or len(set(found.findall(rendered))) < len(messages):
            rendered = await self._render(_without_system(stand_ins))
        if rendered is None or not found.search(rendered):
            fix = "--raw sends the problem without a template"
            raise BadInput("the model's chat template refuses these messages", fix)
        pieces = found.split(rendered)  # text, index, text, index, …, text
        parts = [int(piece) if place % 2 else piece for place, piece in enumerate(pieces)]
        return [parts[0], *(part for part in parts[1:] if part != "")]

    async def _render(self, messages: list[dict[str, str]]) -> str | None:
        answer = await self._post("/apply-template", {"messages": messages})
        rendered = answer.get("prompt")
        return rendered if isinstance(rendered, str) else None

    async def _has_control(self, text: str) -> bool:
        as_text = await self._tokenise(text, control=False, opening=False)
        return as_text != await self._tokenise(text, control=True, opening=False)

    async def _tokenise(self, text: str, *, control: bool, opening: bool) -> list[int]:
        answer = await self._post(
            "/tokenize", {"content": text, "parse_special": control, "add_special": opening}
        )
        return [int(token) for token in answer["tokens"]]

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        if self._session is None:
            raise RuntimeError("connect first")
        async with self._session.post(path, json=body) as response:
            answer: dict[str, Any] = await response.json()
            return answer


def _without_system(messages: list[dict[str, str]]) -> list[dict[str, str]]:
    """Some templates know no system role: its text then opens the first user message."""
    system = "\n\n".join(message["content"] for message in messages if message["role"] == "system")
    rest = [dict(message) for message in messages if message["role"] != "system"]
    if system and rest:
        rest[0]["content"] = f"{system}\n\n{rest[0]['content']}"
    return rest


def _encodable(text: str) -> str:
    """Half of a surrogate pair, as a broken paste brings, has no UTF-8 form."""
    return text.encode("utf-8", "replace").decode()
