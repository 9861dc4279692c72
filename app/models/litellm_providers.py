"""The providers behind LiteLLM's names, and what each needs before it answers: whose name a model has, which
variables hold the key, and whether they are set. Known without importing LiteLLM, which takes seconds.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

_NO_KEYS: Mapping[str, str] = MappingProxyType({})

_NEEDS: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "ai21": (("AI21_API_KEY",),),
    "anthropic": (("ANTHROPIC_API_KEY",), ("ANTHROPIC_AUTH_TOKEN",)),
    "azure": (("AZURE_API_KEY", "AZURE_API_BASE", "AZURE_API_VERSION"),),
    "azure_ai": (("AZURE_AI_API_KEY", "AZURE_AI_API_BASE"),),
    "bedrock": (
        ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
        ("AWS_BEARER_TOKEN_BEDROCK",),
        ("AWS_PROFILE",),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN"),
    ),
    "cerebras": (("CEREBRAS_API_KEY",),),
    "cloudflare": (("CLOUDFLARE_API_KEY", "CLOUDFLARE_ACCOUNT_ID"),),
    "cohere": (("COHERE_API_KEY",), ("CO_API_KEY",)),
    "dashscope": (("DASHSCOPE_API_KEY",),),
    "databricks": (("DATABRICKS_API_KEY", "DATABRICKS_API_BASE"),),
    "deepinfra": (("DEEPINFRA_API_KEY",),),
    "deepseek": (("DEEPSEEK_API_KEY",),),
    "fireworks_ai": (("FIREWORKS_API_KEY",), ("FIREWORKS_AI_API_KEY",), ("FIREWORKSAI_API_KEY",)),
    "gemini": (("GEMINI_API_KEY",), ("GOOGLE_API_KEY",)),
    "groq": (("GROQ_API_KEY",),),
    "hosted_vllm": (("HOSTED_VLLM_API_BASE",),),
    "huggingface": (("HF_TOKEN",), ("HUGGINGFACE_API_KEY",)),
    "llamafile": ((),),
    "lm_studio": (("LM_STUDIO_API_BASE",),),
    "mistral": (("MISTRAL_API_KEY",),),
    "moonshot": (("MOONSHOT_API_KEY",),),
    "nvidia_nim": (("NVIDIA_NIM_API_KEY",),),
    "ollama": ((),),
    "ollama_chat": ((),),
    "openai": (("OPENAI_API_KEY",),),
    "openrouter": (("OPENROUTER_API_KEY",),),
    "perplexity": (("PERPLEXITYAI_API_KEY",), ("PERPLEXITY_API_KEY",)),
    "replicate": (("REPLICATE_API_KEY",), ("REPLICATE_API_TOKEN",)),
    "sagemaker": (("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), ("AWS_PROFILE",)),
    "sambanova": (("SAMBANOVA_API_KEY",),),
    "together_ai": (
        ("TOGETHERAI_API_KEY",), ("TOGETHER_API_KEY",), ("TOGETHER_AI_API_KEY",), ("TOGETHER_AI_TOKEN",)
    ),
    "vertex_ai": (("VERTEXAI_PROJECT", "VERTEXAI_LOCATION"),),
    "watsonx": (("WATSONX_APIKEY", "WATSONX_URL"), ("WATSONX_API_KEY", "WATSONX_URL")),
    "xai": (("XAI_API_KEY",),),
}  # fmt: skip
"""Variables by provider: any one of these groups will do, and all of a group are needed."""

FAMILIAR: Final = (
    "anthropic", "openai", "gemini", "mistral", "deepseek", "xai", "groq", "together_ai", "fireworks_ai",
    "openrouter", "bedrock", "azure", "vertex_ai",
)  # fmt: skip
"""The providers to name first."""

_ALSO: Final = {
    "text-completion-openai": "openai",
    "text-completion-codestral": "codestral",
    "bedrock_converse": "bedrock",
    "azure_text": "azure",
    "cohere_chat": "cohere",
    "ollama_chat": "ollama",
}


def provider_of(name: str) -> str | None:
    """Whose model a LiteLLM name is; ``None`` where the name is none of LiteLLM's."""
    from budgets.prices import provider_in_table

    prefix, slash, _ = name.partition("/")
    if slash and prefix in providers():
        return _ALSO.get(prefix, prefix)
    listed = provider_in_table(name)
    return None if listed is None else _plain(listed)


@lru_cache(maxsize=1)
def providers() -> frozenset[str]:
    """What a name may have before its slash."""
    from budgets.prices import priced_names, provider_in_table

    listed = {provider_in_table(name) or "" for name in priced_names()} - {""}
    return frozenset(_NEEDS) | frozenset(_ALSO) | {_plain(name) for name in listed}


def variables_of(provider: str) -> tuple[str, ...]:
    """The variables that one usually sets for a provider."""
    return _needs(provider)[0]


def missing_variables(
    provider: str, environment: Mapping[str, str] | None = None, keys: Mapping[str, str] = _NO_KEYS
) -> tuple[str, ...]:
    """The variables that are still to be set, none where the provider can be asked. ``keys`` are the user's
    own, by provider."""
    here = os.environ if environment is None else environment
    if keys.get(key_setting(provider)):
        return ()
    gaps = [tuple(name for name in group if not here.get(name)) for group in _needs(provider)]
    return next((gap for gap in gaps if not gap), gaps[0])


def is_familiar(provider: str) -> bool:
    """Whether what a provider needs is known here for certain."""
    return provider in _NEEDS


def key_setting(provider: str) -> str:
    """The name under which the settings keep a provider's key."""
    return _ALSO.get(provider, provider)


def _needs(provider: str) -> tuple[tuple[str, ...], ...]:
    usual = provider.upper().replace("-", "_")
    return _NEEDS.get(provider) or ((f"{usual}_API_KEY",),)


def _plain(listed: str) -> str:
    """The price table's providers are finer than the prefixes: ``vertex_ai-mistral_models``."""
    name = _ALSO.get(listed, listed)
    return "vertex_ai" if name.startswith("vertex_ai-") else name
