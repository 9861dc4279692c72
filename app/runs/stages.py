"""What happens to a sample after it has come: re-written as a program, scored, and chosen from.

``Stages`` holds a run's translator, its reward model and its rules together. The engine hands it every
finished sample, gives it a turn of each round of its loop, and ends no run while it is behind. Nothing here
can end a run: what goes wrong is told, and the rules go without.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from app.clock import Clock
from app.models.base import ModelInfo
from app.problems.problem import Problem
from app.runs.choosing import Choosing
from app.runs.helpers import Helper, Helpers, ScoringHelper
from app.runs.lanes import Lane
from app.runs.opening import Open, open_model
from app.runs.paying import NOTHING, HelperPurpose, Payer, no_room
from app.runs.places import Places
from app.runs.plan import Plan
from app.runs.rent import Rent
from app.runs.rewarding import AskingScorer, ModelScorer, Rewarding, worst_score
from app.runs.state import Sample
from app.runs.telling import Role, Telling
from app.runs.translating import Translating, checking, describing, task_of_code, task_of_solution
from app.runs.writing import MeteredWriter
from budgets.amounts import Amounts
from budgets.ledger import Ledger
from verifiers.cotnpot.check import MAX_TOKENS, ProgramCheck, Task
from verifiers.cotnpot.describe import describe

REWARD_SHARE: Final = 0.3
"""Of each limit, that scoring may take where it costs anything."""
_Stage: TypeAlias = Translating | Rewarding
_CHARACTERS_A_TOKEN: Final = 8
"""More than any tokenizer's average: for the worst length of a sample that has not come yet."""
_ASKED: Final = 600
"""Tokens, at most, of what the translator is asked besides the solution."""


@dataclass(frozen=True, slots=True)
class Host:
    """What the engine lends its stages. ``sampling`` says whether samples are still to be drawn, ``stopping``
    whether nothing may leave any more; ``changed`` wakes its loop."""

    telling: Telling
    ledger: Ledger
    rent: Rent
    lanes: dict[str, Lane]
    clock: Clock
    sampling: Callable[[], bool]
    stopping: Callable[[], bool]
    changed: Callable[[], None]


class Stages:
    """The stages of one run of ``problem`` by ``plan``, with what ``helpers`` there are."""

    def __init__(self, host: Host, problem: Problem, plan: Plan, helpers: Helpers) -> None:
        self._host = host
        self._problem = problem
        self._plan = plan
        self._helpers = helpers
        self._choosing = Choosing(problem.kind)
        self._places: dict[str, Places] = {}
        self._payers: list[tuple[Payer, Callable[[], Amounts]]] = []
        self._described = problem.kind == "code" and helpers.reward is not None
        self._translating = self._make_translating()
        self._rewarding = self._make_rewarding()

    # -- what the engine asks ---------------------------------------------------------------------

    @property
    def behind(self) -> int:
        """Samples that wait for a program or a reward."""
        return sum(stage.behind for stage in (self._translating, self._rewarding) if stage is not None)

    def restore(self) -> None:
        """Take over what the journal says was done, and queue what is missing."""
        samples = [each for each in self._host.telling.state.every_sample() if each.status == "finished"]
        self._choosing.restore(self._host.telling.state)
        for sample in samples:
            if self._translating is not None:
                self._translating.remember(sample)
            if self._rewarding is not None:
                self._rewarding.remember(sample)
        for sample in samples:
            self.submit(sample)

    def submit(self, sample: Sample) -> None:
        """A sample came to its end."""
        self.note(sample)
        if self._translating is not None and sample.program_status is None:
            self._translating.submit(sample)
            if self._described:
                return  # its reward is that of the code and the words for it
        self._submit_for_reward(sample)

    def note(self, sample: Sample) -> None:
        """Something was found out about a sample."""
        self._choosing.note(sample)

    def begin(self, *, opening: bool) -> None:
        """The run goes on, or may spend more: what was given up is tried again. Where nothing is being
        opened, a helper that could not be had stays away."""
        for stage in (self._translating, self._rewarding):
            if stage is not None and (opening or stage.ready):
                stage.again()

    def opening(self) -> list[Awaitable[None]]:
        """What makes the helpers ready."""
        found: list[Awaitable[None]] = []
        translator, reward = self._helpers.translator, self._helpers.reward
        if self._translating is not None and translator is not None:
            found.append(
                self._open(
                    "translation",
                    translator.name,
                    translator.open,
                    lambda: translator.info,
                    self._translating,
                )
            )
        if self._rewarding is not None and reward is not None:
            found.append(
                self._open(
                    "reward",
                    reward.name,
                    reward.open,
                    lambda: next(iter(reward.infos), None),
                    self._rewarding,
                )
            )
        return found

    def turn(self, *, paused: bool) -> None:
        """Start what can be started, and tell what changed."""
        for stage in (self._translating, self._rewarding):
            if stage is not None and not paused:
                stage.turn()
        for places in self._places.values():
            places.open = not paused
            places.turn()
        for payer, _ in self._payers:
            payer.freed()
        self.tell()

    def tell(self, *, last: bool = False) -> None:
        at = self._host.telling.at()
        if changes := self._choosing.changes(at, last=last):
            self._host.telling.emit(*changes)

    @property
    def waits_to_tell(self) -> bool:
        return self._choosing.waits

    def busy(self) -> set[str]:
        """The models that helpers are asking now."""
        return {name for name, places in self._places.items() if places.in_use}

    def no_room(self, wanted: Amounts, samples: int) -> str | None:
        """The limit that has no room for ``samples`` more and for what they will cost here; ``None`` where
        all have."""
        if not self._payers:
            return None
        state = self._host.telling.state
        pending = self.behind + len(state.live) + samples
        kept = NOTHING
        for payer, worst in self._payers:
            kept = kept + payer.kept_free(pending, worst())
        return no_room(self._host.ledger, self._host.ledger.budget, wanted, kept)

    async def finish(self) -> None:
        """Cancel what is still going on, keep and charge what came of it, and tell the last picks."""
        for stage in (self._translating, self._rewarding):
            if stage is not None:
                await stage.cancel()
        self.tell(last=True)

    # -- making the stages ------------------------------------------------------------------------

    def _make_translating(self) -> Translating | None:
        helper = self._helpers.translator
        if helper is None:
            return None
        payer = self._payer("translation", self._plan.translation_share)
        kind = self._problem.kind
        if kind == "math":
            writer = self._writer(helper, payer)
            check = ProgramCheck(writer, self._helpers.sandbox(), kind, seed=self._plan.seed)
            translate, task_for = checking(check), task_of_solution(self._problem.prompt)
            self._payers.append((payer, lambda: self._worst_translation(writer)))
        else:
            translate, task_for = describing(self._describer(payer)), task_of_code
        return Translating(
            self._host.telling,
            helper.name,
            translate,
            task_for,
            places=self._places_of(helper.name, helper.info.concurrency).size,
            checked=self._was_checked,
            changed=self._host.changed,
        )

    def _make_rewarding(self) -> Rewarding | None:
        helper = self._helpers.reward
        if helper is None:
            return None
        payer = self._payer("reward", REWARD_SHARE)
        scorer: ModelScorer | AskingScorer
        if isinstance(helper, ScoringHelper):
            model, price = helper.model, helper.price
            places = self._places_of(helper.name, 2)
            scorer = ModelScorer(model, self._problem, price, payer, places)
            if model.info is not None:
                longest = self._plan.settings.max_tokens * _CHARACTERS_A_TOKEN
                self._payers.append((payer, lambda: worst_score(model, self._problem, price, longest)))
            at_once = 2
        else:
            asked = helper.asked
            writer = self._writer(asked, payer)
            scorer = AskingScorer(helper.reward, self._problem, writer)
            self._payers.append((payer, lambda: self._worst_translation(writer)))
            at_once = self._places_of(asked.name, asked.info.concurrency).size
        return Rewarding(
            self._host.telling,
            scorer,
            self._host.clock,
            at_once=at_once,
            described=self._described,
            rewarded=self.note,
            changed=self._host.changed,
        )

    def _payer(self, purpose: HelperPurpose, share: float) -> Payer:
        host = self._host
        return Payer(
            host.telling, host.ledger, purpose, share, host.rent, stopping=host.stopping, changed=host.changed
        )

    def _places_of(self, model: str, most: int) -> Places:
        """One for each model, whatever it is asked for."""
        if model not in self._places:
            self._places[model] = Places(
                max(1, most),
                lane=self._host.lanes.get(model),
                asked=self._plan.concurrency,
                hungry=self._host.sampling,
                changed=self._host.changed,
            )
        return self._places[model]

    def _writer(self, helper: Helper, payer: Payer) -> MeteredWriter:
        places = self._places_of(helper.name, helper.info.concurrency)
        return MeteredWriter(helper.backend, helper.price, payer, places, self._host.clock, self._plan.seed)

    def _describer(self, payer: Payer) -> Callable[[Task, Callable[[str], None]], Awaitable[str]]:
        """Each sample is described by the model that wrote it."""

        async def written(task: Task, on_text: Callable[[str], None]) -> str:
            sample = self._host.telling.state.samples[task.sample]
            author = self._host.lanes[sample.model if sample is not None else ""]
            helper = Helper(author.name, author.backend, author.meter.price)
            return await describe(
                self._writer(helper, payer),
                task.shown,
                sample=task.sample,
                seed=self._plan.seed,
                on_text=on_text,
            )

        return written

    def _worst_translation(self, writer: MeteredWriter) -> Amounts:
        return writer.worst(_ASKED + self._plan.settings.max_tokens, MAX_TOKENS)

    # -- what happens -----------------------------------------------------------------------------

    def _was_checked(self, sample: Sample) -> None:
        self.note(sample)
        if self._described:
            self._submit_for_reward(sample)

    def _submit_for_reward(self, sample: Sample) -> None:
        if self._rewarding is not None and sample.reward_model is None:
            self._rewarding.submit(sample)

    async def _open(
        self, role: Role, name: str, open_: Open, info: Callable[[], ModelInfo | None], stage: _Stage
    ) -> None:
        telling = self._host.telling
        try:
            missing = await open_model(telling, name, open_, info, role)
        except Exception as error:  # noqa: BLE001 - a helper's fault must not end the run
            why = f"{type(error).__name__}: {error}"
            telling.status(name, "failed", why, role=role)
            stage.set_off(f"a fault of the program, {why}")
        else:
            if missing is not None:
                stage.set_off(f"{missing.message} {missing.fix or ''}".strip().rstrip("."))
            stage.ready = missing is None
        self._host.changed()
