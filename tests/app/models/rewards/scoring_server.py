"""A vLLM server that scores, in small: one token a character, scores from a function, and bad manners on
request. It answers as vLLM 0.32 does (``/tokenize``, ``/classify``, ``/pooling``, ``/v1/completions``).
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web
from aiohttp.test_utils import TestServer

Bad = Literal["nan", "short", "long", "html", "nothing", "cut", "500", "other-form", "null", "none"]


@dataclass
class ScoringServer:
    """``logit`` scores a text, ``chance`` one token by its place. ``process`` leaves out ``/classify``."""

    logit: Callable[[str], float] = lambda text: float(text.count("4"))
    chance: Callable[[str, int], float] = lambda text, place: 0.5
    context: int = 200
    process: bool = False
    template: bool = True
    classes: int = 1
    row_per_mark: str | None = None
    bad: Bad = "none"
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    url: str = ""

    def rendered(self, body: dict[str, Any]) -> str:
        if "prompt" in body:
            return str(body["prompt"])
        turns = "".join(f"[{turn['role'][0]}]{turn['content']}" for turn in body["messages"])
        return turns + ("[a]" if body.get("add_generation_prompt", True) else "[end]")

    async def tokenize(self, request: web.Request) -> web.Response:
        body = await request.json()
        if "messages" in body and not self.template:
            return web.json_response({"error": {"message": "no chat template", "code": 400}}, status=400)
        tokens = [ord(character) for character in self.rendered(body)]
        return web.json_response({"tokens": tokens, "count": len(tokens), "max_model_len": self.context})

    async def classify(self, request: web.Request) -> web.Response:
        body = await self._read("/classify", request)
        if self.process:
            said = "The model does not support Classification API"
            return web.json_response({"error": {"message": said, "code": 501}}, status=501)
        data: list[dict[str, Any]] = []
        for index, tokens in enumerate(body["input"]):
            if len(tokens) > self.context:
                return web.json_response({"error": {"message": "too long", "code": 400}}, status=400)
            logit = self.logit("".join(map(chr, tokens)))
            probs = [logit] if self.classes == 1 else [-logit, *[logit] * (self.classes - 1)]
            data.append({"index": index, "label": None, "probs": probs, "num_classes": self.classes})
        if self.bad == "nan":
            data[0]["probs"] = [float("nan")]
        if self.bad == "null":
            data[0]["probs"] = [None]
        return self._answer(data)

    async def pooling(self, request: web.Request) -> web.Response:
        body = await self._read("/pooling", request)
        data: list[dict[str, Any]] = []
        for index, tokens in enumerate(body["input"]):
            text = "".join(map(chr, tokens))
            rows = [[1 - self.chance(text, at), self.chance(text, at)] for at in range(len(text))]
            if self.row_per_mark is not None:
                mark = self.row_per_mark
                ends = [at for at in range(len(text)) if text[: at + 1].endswith(mark)]
                rows = [rows[at] for at in ends]
            if self.bad == "nan":
                rows[-1] = [float("nan"), float("nan")]
            data.append(
                {"index": index, "object": "pooling", "data": rows[1:] if self.bad == "long" else rows}
            )
        return self._answer(data)

    async def completions(self, request: web.Request) -> web.Response:
        body = await self._read("/v1/completions", request)
        choices: list[dict[str, Any]] = []
        for index, tokens in enumerate(body["prompt"]):
            given: list[dict[str, Any] | None] = [None]
            for token in tokens[1:]:
                likelier = {"logprob": -0.01, "rank": 1, "decoded_token": "?"}
                given.append(
                    {
                        "999": likelier,
                        str(token): {"logprob": -self.logit(chr(token)), "decoded_token": chr(token)},
                    }
                )
            if self.bad == "nan":
                given[-1] = {str(tokens[-1]): {"logprob": float("nan")}}
            if self.bad == "long":
                given = given[:-1]
            if self.bad == "null":
                choices.append({"index": index, "text": "x", "prompt_logprobs": None})
            else:
                choices.append({"index": index, "text": "x", "prompt_logprobs": given})
        return self._answer(choices, key="choices")

    async def models(self, request: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": "rm", "owned_by": "vllm", "max_model_len": self.context}]})

    async def _read(self, path: str, request: web.Request) -> dict[str, Any]:
        body: dict[str, Any] = await request.json()
        self.asked.append((path, body))
        return body

    def _answer(self, data: list[dict[str, Any]], key: str = "data") -> web.Response:
        if self.bad == "500":
            return web.json_response({"error": {"message": "out of memory"}}, status=500)
        if self.bad == "html":
            return web.Response(text="<html>Bad gateway</html>", content_type="text/html")
        if self.bad == "nothing":
            return web.Response(text="", content_type="application/json")
        if self.bad == "other-form":
            return web.json_response({"scores": [1, 2]})
        if self.bad == "short":
            data = data[:-1]
        text = json.dumps({"model": "rm", key: data, "usage": {}})
        return web.Response(text=text[:-7] if self.bad == "cut" else text, content_type="application/json")


@asynccontextmanager
async def serving(server: ScoringServer) -> AsyncIterator[ScoringServer]:
    app = web.Application()
    app.router.add_get("/v1/models", server.models)
    app.router.add_post("/tokenize", server.tokenize)
    app.router.add_post("/classify", server.classify)
    app.router.add_post("/pooling", server.pooling)
    app.router.add_post("/v1/completions", server.completions)
    running = TestServer(app)
    await running.start_server()
    server.url = f"http://127.0.0.1:{running.port}/v1"
    try:
        yield server
    finally:
        await running.close()
