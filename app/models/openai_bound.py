"""An upper bound on the tokens of a prompt that only the server can count.

The tokenizers of today's models work on bytes or fall back to them, so that a text never has more tokens than
UTF-8 bytes; some bring characters to a compatibility form first, which may be longer. What the server's chat
template adds cannot be seen from here: the longest ones we know (gpt-oss with its channels, Llama 3 with its
dates, SmolLM3 with its notes on reasoning) add up to about 250 tokens, and 4 to 10 around each message.
"""

from __future__ import annotations

import unicodedata

from app.models.base import Prompt

TEMPLATE_TOKENS = 320
MESSAGE_TOKENS = 16
_PLAIN_TOKENS = 8


def prompt_tokens_at_most(prompt: Prompt) -> int:
    """The bound, for chat messages or for one plain text."""
    if prompt.text is not None:
        return _longest_bytes(prompt.text) + _PLAIN_TOKENS
    contents = sum(_longest_bytes(message.content) for message in prompt.messages)
    return contents + MESSAGE_TOKENS * len(prompt.messages) + TEMPLATE_TOKENS


def _longest_bytes(text: str) -> int:
    as_it_is = len(text.encode("utf-8", "surrogatepass"))
    if text.isascii():
        return as_it_is
    return max(as_it_is, len(unicodedata.normalize("NFKC", text).encode("utf-8", "surrogatepass")))
