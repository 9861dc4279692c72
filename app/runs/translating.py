"""Programs from solutions while sampling goes on: the part of CoTnPoT that costs a second generation.

Finished samples queue here. Those that give the same answer by the same steps share one translation. What
goes wrong with one sample is that sample's reason; what goes wrong with the translator ends the translating,
with a notice, and never the run.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from app.errors import PartMissing
from app.runs import events as ev
from app.runs.state import Sample
from app.runs.telling import Telling
from verifiers.cotnpot.check import Checked, ProgramCheck, Task, task_of
from verifiers.ports import CannotAfford, WriterFailed

FAILURES_IN_A_ROW: Final = 3
"""After so many samples that the translator failed on for good, it is asked no more."""
_BESIDE: Final = 2
"""Programs that may run while as many more translations as there are places are written."""


class Translate(Protocol):
    """Puts one sample into another form, handing over the text as it comes."""

    async def __call__(self, task: Task, on_text: Callable[[str], None]) -> Checked: ...


class Translating:
    """The translations of one run by ``translator``. ``places`` says how many are written at once.

    ``checked`` is told each sample that was looked at, ``changed`` that something ended. ``key_of`` says
    which samples are the same to the translator; ``None``: there is nothing to translate.
    """

    def __init__(
        self,
        telling: Telling,
        translator: str,
        translate: Translate,
        task_for: Callable[[Sample], Task | None],
        *,
        places: int,
        checked: Callable[[Sample], None],
        changed: Callable[[], None],
    ) -> None:
        self._telling = telling
        self._translator = translator
        self._translate = translate
        self._task_for = task_for
        self._most = places + _BESIDE
        self._checked = checked
        self._changed = changed
        self._known: dict[tuple[str, ...], tuple[Checked, int]] = {}
        self._waiting: dict[tuple[str, ...], list[int]] = {}
        self._queue: deque[tuple[str, ...]] = deque()
        self._work: dict[asyncio.Task[None], tuple[str, ...]] = {}
        self._failures = 0
        self.ready = False
        """Until the translator is open nothing is started."""
        self.off = ""
        """Why nothing more is translated; empty while it is."""

    @property
    def behind(self) -> int:
        """Samples that wait for their program."""
        return 0 if self.off else sum(map(len, self._waiting.values()))

    def remember(self, sample: Sample) -> None:
        """Take over what an earlier part of the run paid for."""
        task = self._task_for(sample)
        if task is not None and sample.program_status is not None:
            checked = Checked(
                sample.program_status, sample.program_answer, sample.program_reason, sample.program
            )
            self._known.setdefault(task.key, (checked, sample.index))

    def submit(self, sample: Sample) -> None:
        """Queue one finished sample. What an equal one came to is told at once."""
        task = self._task_for(sample)
        if task is None:
            self._tell(sample.index, Checked("not-run", None, "the sample gives no answer", ""), None)
        elif task.key in self._known:
            self._tell(sample.index, *self._known[task.key])
        elif task.key in self._waiting:
            if sample.index not in self._waiting[task.key]:  # a run that goes on hands over all it has again
                self._waiting[task.key].append(sample.index)
        else:
            self._waiting[task.key] = [sample.index]
            self._queue.append(task.key)

    def turn(self) -> None:
        """Start what can be started."""
        while self.ready and not self.off and self._queue and len(self._work) < self._most:
            key = self._queue.popleft()
            work = asyncio.create_task(self._one(key))
            self._work[work] = key
            work.add_done_callback(self._ended)

    def again(self) -> None:
        """There may be money again, or the translator may be well again."""
        self.off, self._failures = "", 0

    async def cancel(self) -> None:
        """End what is going on; what came of it is charged, and queued for another time."""
        work = list(self._work)
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        self._queue = deque(self._waiting)  # also what had been taken from it and never began

    def set_off(self, why: str) -> None:
        if not self.off:
            self.off = why
            left = sum(map(len, self._waiting.values()))
            self._telling.warn(f"No more programs are written: {why}. Samples without one: {left:,}.")
            self._changed()

    async def _one(self, key: tuple[str, ...]) -> None:
        first = self._waiting[key][0]
        sample = self._telling.state.samples[first]
        task = self._task_for(sample) if sample is not None else None
        if sample is None or task is None:
            self._waiting.pop(key)
            return
        try:
            checked = await self._translate(task, lambda text: self._streamed(first, text))
        except CannotAfford as error:
            self._queue.appendleft(key)
            self.set_off(str(error))
            return
        except PartMissing as error:
            self._queue.appendleft(key)
            self.set_off(f"{error.message} {error.fix or ''}".strip().rstrip("."))
            return
        except WriterFailed as error:
            checked = Checked("not-run", None, f"the translator failed: {error}", "")
            self._failures += 1
            if self._failures >= FAILURES_IN_A_ROW:
                self._queue.appendleft(key)
                self.set_off(f"the translator failed {self._failures} times in a row ({error})")
                return
        else:
            self._failures = 0
            self._known[key] = (checked, first)
        for place, index in enumerate(self._waiting.pop(key)):
            self._tell(index, checked, first if place else None)

    def _streamed(self, sample: int, text: str) -> None:
        self._telling.emit(ev.TranslationDelta(at=self._telling.at(), sample=sample, text=text))

    def _tell(self, index: int, checked: Checked, shared_with: int | None) -> None:
        self._telling.emit(
            ev.ProgramChecked(
                at=self._telling.at(),
                sample=index,
                status=checked.status,
                answer=checked.answer,
                reason=checked.reason,
                program=checked.program if shared_with is None else "",
                translator=self._translator,
                shared_with=shared_with,
            )
        )
        sample = self._telling.state.samples[index]
        if sample is not None:
            self._checked(sample)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._work.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.set_off(f"a fault of the program, {type(error).__name__}: {error}")
        self._changed()


def checking(check: ProgramCheck) -> Translate:
    """CoTnPoT for mathematics: the solution as a program, run and compared."""

    async def translate(task: Task, on_text: Callable[[str], None]) -> Checked:
        from verifiers.sandbox import NoSandbox

        try:
            return await check.check(task, on_text)
        except NoSandbox as error:
            raise PartMissing(error.message, error.fix) from None

    return translate


def task_of_solution(problem: str) -> Callable[[Sample], Task | None]:
    def task_for(sample: Sample) -> Task | None:
        return task_of(sample.index, sample.text, sample.answer, sample.group, problem, sample.span)

    return task_for


def describing(describe: Callable[[Task, Callable[[str], None]], Awaitable[str]]) -> Translate:
    """CoTnPoT for code: the program in words, which are scored with it. Nothing runs, nothing is dropped."""

    async def translate(task: Task, on_text: Callable[[str], None]) -> Checked:
        words = await describe(task, on_text)
        return Checked("not-run", None, "described in words, to be scored with the code", words)

    return translate


def task_of_code(sample: Sample) -> Task | None:
    """Code is its own key: equal programs share their description."""
    if sample.answer is None:
        return None
    return Task(sample.index, sample.answer, sample.answer, (sample.group or sample.answer,))
