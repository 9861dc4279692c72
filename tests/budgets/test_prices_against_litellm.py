"""What a request costs by our reading of the table, against LiteLLM's own calculator."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from budgets.prices import Usage, price_of

PROVIDERS = (
    "openai",
    "anthropic",
    "mistral",
    "groq",
    "xai",
    "dashscope",
    "together_ai",
    "azure",
    "openrouter",
)
PROMPTS = (1_000, 127_999, 128_000, 200_000, 200_001, 272_001, 600_000)
COMPLETION, CACHED, REASONING = 500, 200, 100

THEIRS = f"""
import json, litellm
from litellm.types.utils import CompletionTokensDetailsWrapper, PromptTokensDetailsWrapper, Usage
found = []
for name, entry in litellm.model_cost.items():
    provider = entry.get("litellm_provider")
    if provider not in {PROVIDERS} or entry.get("mode") not in ("chat", "completion", "responses"):
        continue
    for prompt in {PROMPTS}:
        usage = Usage(
            prompt_tokens=prompt, completion_tokens={COMPLETION}, total_tokens=prompt + {COMPLETION},
            prompt_tokens_details=PromptTokensDetailsWrapper(cached_tokens={CACHED}),
            completion_tokens_details=CompletionTokensDetailsWrapper(reasoning_tokens={REASONING}),
        )
        cost = litellm.cost_per_token(model=name, custom_llm_provider=provider, usage_object=usage)
        found.append((name, prompt, sum(cost)))
print(json.dumps(found))
"""


def test_a_request_costs_what_litellm_says() -> None:
    environment = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, "-c", THEIRS],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    compared = 0
    for name, prompt, theirs in json.loads(done.stdout.splitlines()[-1]):
        price = price_of(name)
        if price is None:
            continue
        ours = price.cost(Usage(prompt, COMPLETION, CACHED, reasoning=REASONING)) - price.per_request
        assert float(ours) == pytest.approx(theirs, rel=1e-9), (name, prompt)
        compared += 1
    assert compared > 1_000
