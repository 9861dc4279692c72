"""A Hugging Face model that scores, run by PyTorch in this process. Everything here blocks.

Two kinds are taken. A sequence classifier (``…ForSequenceClassification``, the usual form of a reward model)
gives its raw logit. A model that writes (``…ForCausalLM``) gives the mean log-probability of the solution's
tokens, as a SimPO-trained verifier is meant to be read (arXiv 2410.05318).

No code that comes with a model is run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from app.errors import BadInput, PartMissing
from app.models.rewards.fitting import TRUNCATED, Conversation, fitted, split_at
from verifiers.ports import Score
from verifiers.rewards.quoting import harmless
from verifiers.safe_text import clean

INSTALL = 'Install them: pip install "manymonkeys[train]".'
_LONGEST = 32_768  # tokens, where the model does not say
_NEEDED = ("torch", "transformers")


class Scorer(Protocol):
    """A loaded model. ``score`` blocks, and ends early with what it has where ``stopped`` says so."""

    parameters: int
    context: int
    layers: int | None
    hidden: int | None

    def score(self, problem: str, texts: Sequence[str], stopped: Callable[[], bool]) -> list[Score]: ...


def load_scorer(path: str) -> Scorer:
    """The model in the folder ``path``, or of that name on the Hugging Face hub.

    Raises ``PartMissing`` without PyTorch and transformers, ``BadInput`` for what is no such model.
    """
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise PartMissing(f"hf:{path} needs {' and '.join(missing)}, not installed here.", INSTALL)
    place = Path(path).expanduser()
    if not place.is_dir() and (path.startswith(("/", ".", "~")) or path.count("/") != 1):
        raise BadInput(f"There is no folder {path}.", "Give hf:FOLDER, or hf:OWNER/NAME of a model hub.")
    source = str(place) if place.is_dir() else path
    transformers: Any = import_module("transformers")
    try:
        config = transformers.AutoConfig.from_pretrained(source)
        tokenizer = transformers.AutoTokenizer.from_pretrained(source)
        written = any("CausalLM" in name for name in config.architectures or ())
        kind = "AutoModelForCausalLM" if written else "AutoModelForSequenceClassification"
        model = getattr(transformers, kind).from_pretrained(source).eval()
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        reason = " ".join(str(error).split())[:300]
        fix = "Give the folder of a sequence classifier that transformers can load."
        raise BadInput(f"hf:{path} cannot be loaded: {clean(reason)}", fix) from None
    return TorchScorer(model, tokenizer, writes=written)


class TorchScorer:
    """One model and its tokenizer. ``writes``: it is scored by its log-probabilities."""

    def __init__(self, model: Any, tokenizer: Any, *, writes: bool) -> None:
        torch: Any = import_module("torch")
        # Half precision moves a mean log-probability by a tenth, and on most processors is no faster.
        model = model.to("cuda") if torch.cuda.is_available() else model.float()
        self._torch, self._model, self._tokenizer, self._writes = torch, model, tokenizer, writes
        config = model.config
        self.parameters = sum(int(weight.numel()) for weight in model.parameters())
        self.context = int(getattr(config, "max_position_embeddings", None) or _LONGEST)
        self.layers: int | None = getattr(config, "num_hidden_layers", None)
        self.hidden: int | None = getattr(config, "hidden_size", None)

    def score(self, problem: str, texts: Sequence[str], stopped: Callable[[], bool]) -> list[Score]:
        scores: list[Score] = []
        problem = harmless(clean(problem))
        with self._torch.inference_mode():
            for text in texts:
                if stopped():
                    break
                scores.append(self._one(self._conversation(problem, harmless(clean(text)))))
        return scores

    def _conversation(self, problem: str, text: str) -> Conversation:
        asked = [{"role": "user", "content": problem}]
        if self._tokenizer.chat_template is None:
            head = self._tokenizer.encode(f"{problem}\n\n")
            body = self._tokenizer.encode(text, add_special_tokens=False)
            return fitted(head, body, self.context)
        head = self._rendered(asked, open_turn=True)
        if self._writes:
            return fitted(head, self._tokenizer.encode(text, add_special_tokens=False), self.context)
        whole = self._rendered([*asked, {"role": "assistant", "content": text}], open_turn=False)
        return fitted(*split_at(head, whole), self.context)

    def _rendered(self, turns: list[dict[str, str]], *, open_turn: bool) -> list[int]:
        text = self._tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=open_turn)
        return [int(token) for token in self._tokenizer.encode(text, add_special_tokens=False)]

    def _one(self, text: Conversation) -> Score:
        read = len(text.whole)
        why = TRUNCATED if text.truncated else ""
        if not text.body:
            return Score(None, "the solution is empty", text.truncated, read)
        tokens = self._torch.tensor([text.whole], device=self._model.device)
        logits = self._model(input_ids=tokens).logits[0].float()
        if self._writes:
            chances = self._torch.log_softmax(logits[:-1], dim=-1)
            own = chances.gather(1, tokens[0, 1:, None])[:, 0]
            reward = float(own[-len(text.body) :].mean())
        elif len(logits) in (1, 2):
            reward = float(logits[-1] - (logits[0] if len(logits) == 2 else 0.0))
        else:
            why = f"the model has {len(logits)} classes; one number, or wrong and right, is needed"
            return Score(None, why, text.truncated, read)
        if reward != reward or reward in (float("inf"), float("-inf")):
            return Score(None, "the model answered with no number", text.truncated, read)
        return Score(reward, why, text.truncated, read)
