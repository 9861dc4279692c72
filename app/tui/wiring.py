"""The real ports: engine, journal, models and starter set, each imported when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import locations
from app.errors import BadInput
from app.tui.ports import Compared, ModelChoice, PastRun, Ports, PriceLine

if TYPE_CHECKING:
    from app.models.registry import KnownModel
    from app.problems.problem import Kind, Problem
    from app.runs.checkers import Checkers
    from app.runs.journal import Journal, JournalStore
    from app.runs.launch import Launcher
    from app.runs.plan import Plan
    from app.runs.source import LiveRun, RunSource
    from app.settings import Settings
    from budgets.rates import Price

MOST_RECENT = 8
"""Recent problems offered."""


_GROUPS = {
    "embedded": "On this machine",
    "gguf": "On this machine",
    "vllm": "vLLM",
    "openai": "Servers",
    "litellm": "API models",
}


def real_ports(settings: Settings) -> Ports:
    wiring = _Wiring(settings)
    return Ports(
        launch=wiring.launch,
        models=wiring.models,
        catalog=wiring.catalog,
        price_line=wiring.price_line,
        favourites=wiring.favourites,
        toggle_favourite=wiring.toggle_favourite,
        detect=_detect,
        estimate=wiring.estimate,
        confirm=wiring.confirm,
        rewards=_rewards,
        starters=_starters,
        recent=wiring.recent,
        runs=wiring.runs,
        compare=wiring.compare,
        compared=wiring.compared,
        replay=wiring.replay,
        export=wiring.export,
        close=wiring.close,
    )


class _Wiring:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stores: list[JournalStore] = []
        self._at_the_end: list[Callable[[], None]] = []

    @cached_property
    def _own_prices(self) -> dict[str, Price]:
        from budgets.rates import parse_price

        try:
            return {name: parse_price(text) for name, text in self._settings.prices.items()}
        except ValueError as fault:
            raise BadInput(f"A price in the settings cannot be read: {fault}") from fault

    @cached_property
    def _launcher(self) -> Launcher:
        from app.runs.habits import Habits
        from app.runs.launch import Launcher

        return Launcher(
            habits=Habits(locations.habits_file()),
            prices=self._own_prices,
            gpu_usd_per_hour=self._settings.gpu_usd_per_hour,
        )

    @cached_property
    def _journal(self) -> Journal:
        from app.runs.journal import Journal

        journal = Journal.open(locations.journal_file())
        self._at_the_end.append(journal.close)
        return journal

    def launch(self, problem: Problem, plan: Plan) -> LiveRun:
        for name in plan.models:
            self._launcher.info(name)  # an unknown model is refused before the journal knows of a run
        run_id = self._journal.reserve_run_id()
        store = self._journal.store(run_id)
        self._stores.append(store)
        return self._launcher.open_run(problem, plan, store=store, run_id=run_id)

    def estimate(self, problem: Problem, plan: Plan) -> str:
        return self._launcher.estimate(problem, plan)

    def confirm(self, problem: Problem, plan: Plan) -> str:
        """Ask about a run that may cost more than the user wants to spend without being asked."""
        from budgets.amounts import show_usd

        most = self._launcher.most_dollars(problem, plan)
        if most is not None and most <= self._settings.confirm_above:
            return ""
        costs = "an amount that nobody knows" if most is None else f"up to {show_usd(most)}"
        return f"This may cost {costs}. Start again to go on, or set a limit in dollars."

    def models(self) -> Sequence[ModelChoice]:
        from app.models.gguf import SUGGESTED_UPGRADE
        from app.models.registry import known_models

        return [_choice(model, model.name == SUGGESTED_UPGRADE) for model in known_models()]

    def catalog(self) -> Sequence[ModelChoice]:
        from app.models.api_catalog import api_models

        return [_choice(model, False) for model in api_models(self._settings.api_keys)]

    def price_line(self, name: str, text: str, plan: Plan | None) -> PriceLine:
        from app.runs.habits import Habits
        from app.tui.text.prices import price_line

        return price_line(name, text, plan, self._own_prices, Habits(locations.habits_file()))

    def favourites(self) -> tuple[str, ...]:
        from app.models.favourites import Favourites

        return Favourites(locations.favourites_file()).names()

    def toggle_favourite(self, name: str) -> tuple[str, ...]:
        from app.models.favourites import Favourites

        return Favourites(locations.favourites_file()).toggle(name)

    def runs(self) -> Sequence[PastRun]:
        from budgets.amounts import show_usd

        found: list[PastRun] = []
        for run in self._journal.runs():
            pick = run.picks.get("majority") or next(iter(run.picks.values()), None)
            found.append(
                PastRun(
                    run.run_id,
                    run.created,
                    run.title,
                    tuple(run.models),
                    run.samples,
                    run.status,
                    pick.answer if pick else None,
                    pick.share if pick else None,
                    "" if run.usd is None else show_usd(run.usd),
                )
            )
        return found

    def recent(self) -> Sequence[Problem]:
        """The problems asked last, each once."""
        from app.runs.events import RunStarted

        problems: dict[str, Problem] = {}
        titles: set[str] = set()
        for run in self._journal.runs(limit=4 * MOST_RECENT):
            if run.title in titles or len(problems) == MOST_RECENT:
                continue
            titles.add(run.title)
            first = self._journal.first(run.run_id)
            if isinstance(first, RunStarted):
                problems.setdefault(first.problem.prompt, first.problem)
        return list(problems.values())

    def compare(self, name: str, plan: Plan) -> Compared:
        """The samples of the plan's budget are those of each problem here."""
        from dataclasses import replace

        import msgspec

        from app.problems.sets import load_set
        from app.runs.compare.launch import open_comparison

        short, problems = load_set(name)
        budget = plan.budget
        run_id = self._journal.reserve_run_id()
        store = self._journal.store(run_id)
        self._stores.append(store)
        live = open_comparison(
            self._launcher,
            problems,
            msgspec.structs.replace(plan, budget=replace(budget, samples=None)),
            name=short,
            run_id=run_id,
            samples_each=budget.samples,
            store=store,
            gpu_usd_per_hour=self._settings.gpu_usd_per_hour,
            checker_for=self._checkers.checker_for,
        )
        return Compared(live, lambda problem, model: self._texts(run_id, problem, model))

    def compared(self, name: str) -> Compared | None:
        from app.runs.compare.replay import ComparisonPlayer
        from app.runs.events import ComparisonStarted

        if Path(name).expanduser().is_file() or any(mark in name for mark in "/.\\"):
            return None
        run_id = self._journal.resolve(name)
        events = self._journal.load(run_id)
        if not isinstance(events[0], ComparisonStarted):
            return None
        return Compared(ComparisonPlayer(events), lambda problem, model: self._texts(run_id, problem, model))

    def _texts(self, run_id: str, problem: int, model: str) -> list[dict[str, Any]]:
        from app.runs.compare.samples import comparison_rows

        return list(comparison_rows(self._journal.load(run_id), problem=problem, model=model))

    @cached_property
    def _checkers(self) -> Checkers:
        from app.runs.checkers import Checkers

        return Checkers()

    def replay(self, name: str) -> RunSource:
        from app.runs.recording import read_recording, recording_of
        from app.runs.replay import Player

        path = Path(name).expanduser()
        if path.is_file():
            return Player(read_recording(path))
        if any(mark in name for mark in "/.\\"):
            raise BadInput(f"There is no file {name}.", "Give an exported .jsonl file, or the id of a run.")
        run_id = self._journal.resolve(name)
        return Player(recording_of(self._journal.load(run_id), f"Run {run_id}"))

    def export(self, source: RunSource) -> str:
        from app.runs.events import to_json

        run_id = source.state.run_id
        path = locations.exports_folder() / f"run-{run_id}.jsonl"
        events = self._journal.load(self._journal.resolve(run_id))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"".join(to_json(event) + b"\n" for event in events))
        except OSError as fault:
            raise BadInput(f"{path} cannot be written ({fault.strerror or fault}).") from fault
        return f"Wrote {len(events):,} events to {path}"

    async def close(self) -> None:
        for store in self._stores:
            store.close()
        if "_checkers" in vars(self):
            await self._checkers.close()
        if "_launcher" in vars(self):
            await self._launcher.close()
        for end in self._at_the_end:
            end()


def _choice(model: KnownModel, upgrade: bool) -> ModelChoice:
    return ModelChoice(
        model.name,
        model.description,
        model.ready,
        model.missing or "",
        "free" if model.ready and model.kind in ("embedded", "gguf") else "",
        upgrade,
        _GROUPS.get(model.kind, ""),
        model.parameters,
        model.context,
    )


def _detect(text: str) -> tuple[Kind, str]:
    from app.problems.detect import detect

    found = detect(text)
    return found.kind, found.reason


def _rewards() -> Sequence[str]:
    from app.models.rewards.registry import EXAMPLES

    return EXAMPLES


def _starters() -> Sequence[Problem]:
    from app.problems.starter import starter_problems

    return starter_problems()
