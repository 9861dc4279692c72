"""Several servers of one model, used together as if they were one.

Each request goes to the server with the least in flight. What a server refuses without having worked on it
(too many requests, overloaded, not there) is asked of the next one at once, which costs nothing; what broke
after that is the run's to try again, because it may have cost something. A sick server rests and is tried
again with one request. A server that refuses the key or lacks the model is left out with a note, as long as
there is another.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

import msgspec

from app.errors import BadInput, PartMissing
from app.models.base import BackendError, ChoiceDone, ModelInfo, Piece, Progress, Prompt, Request
from app.models.pool_member import LONGEST_REST, Member, ServerBackend

_ASKED_ELSEWHERE = frozenset({"refused", "rate-limit", "auth"})
"""Kinds of fault that say that no model worked on the request, and that another server may."""
_FIRST_LOOK = 1.0
"""Seconds until a server that was not there is looked for again; doubled each time."""


class PoolBackend:
    """The model ``name`` on all of ``backends``. Raises ``BadInput`` for a server that is given twice."""

    def __init__(self, name: str, backends: Sequence[ServerBackend], *, seed: int = 0) -> None:
        servers = [backend.info.server or "this machine" for backend in backends]
        twice = next((server for server in servers if servers.count(server) > 1), None)
        if twice is not None:
            raise BadInput(f"The server {twice} is given twice.", "Give each base URL once.")
        self._name = name
        self._members = [Member(*pair) for pair in zip(backends, servers, strict=True)]
        self._jitter = random.Random(seed)  # noqa: S311 - spreads rests, guards nothing
        self._told: list[str] = []
        self._looking: set[asyncio.Task[None]] = set()
        self._info = self._joined()

    @property
    def info(self) -> ModelInfo:
        """All servers as one: the fewest choices a request of any may ask for, the places of all."""
        fewest = min(member.backend.info.choices_per_request for member in self._members)
        if fewest != self._info.choices_per_request:
            self._info = msgspec.structs.replace(self._info, choices_per_request=fewest)
        return self._info

    @property
    def price_name(self) -> str | None:
        """The name of the published price, where it is the same on all servers."""
        names = {member.backend.price_name for member in self._members}
        return names.pop() if len(names) == 1 else None

    @property
    def notes(self) -> list[str]:
        every = [note for member in self._members for note in member.backend.notes]
        return list(dict.fromkeys([*self._told, *every]))

    async def open(self, report: Callable[[Progress], None]) -> None:
        """Open all servers at once; one is enough to begin with, the others are looked for meanwhile.

        Raises ``BadInput`` for what is wrong with the request for any of them, ``PartMissing`` where not even
        one can be had.
        """
        found = await asyncio.gather(
            *(self._open(member, report) for member in self._members), return_exceptions=True
        )
        wrong = [error for error in found if error is not None and not isinstance(error, PartMissing)]
        absent = [error for error in found if isinstance(error, PartMissing)]
        if wrong or len(absent) == len(self._members):
            await self.close()
            raise (wrong or absent)[0]
        for member, error in zip(self._members, found, strict=True):
            if isinstance(error, PartMissing):
                self._told.append(f"{error.message} The others go on without it until it is there.")
                self._look_again(member)
        self._info = self._joined()
        report(Progress("ready", 1.0))

    def prompt_tokens_at_most(self, prompt: Prompt) -> int:
        """The largest bound of any server."""
        return max(member.backend.prompt_tokens_at_most(prompt) for member in self._members)

    async def sample(self, request: Request) -> AsyncGenerator[Piece, None]:
        """Stream the choices of a request from one server. Raises ``BackendError``."""
        tried: set[Member] = set()
        fault: BackendError | None = None
        while (member := self._next(tried)) is not None:
            arrived, fault = False, None
            sent_at = _now()
            member.in_flight += request.choices
            try:
                async with aclosing(member.backend.sample(request)) as pieces:
                    async for piece in pieces:
                        arrived = True
                        if type(piece) is ChoiceDone:
                            member.served()
                        yield piece
                return
            except BackendError as error:
                fault = error
            finally:
                member.in_flight -= request.choices
            if fault.kind == "context" or (arrived and fault.kind == "refused"):
                raise fault
            self._note(member, fault, sent_at)
            if arrived or fault.kind not in _ASKED_ELSEWHERE:
                raise fault if self._others(member) is None else _again(fault)
            tried.add(member)
        raise self._no_room(fault)

    async def close(self) -> None:
        for task in self._looking:
            task.cancel()
        await asyncio.gather(*self._looking, return_exceptions=True)
        for member in self._members:
            if member.is_open:
                member.is_open = False
                await member.backend.close()

    # -- which server -----------------------------------------------------------------------------

    def _next(self, tried: set[Member]) -> Member | None:
        now = _now()
        able = [member for member in self._members if member not in tried and member.has_room(now)]
        return min(able, key=lambda member: member.in_flight) if able else None

    def _others(self, member: Member) -> Member | None:
        """A server besides this one that is not left out for good."""
        return next((other for other in self._members if other is not member and not other.gone), None)

    def _note(self, member: Member, fault: BackendError, sent_at: float) -> None:
        member.failed(fault, sent_at=sent_at, now=_now(), jitter=self._jitter)
        if member.gone and self._others(member) is not None:
            self._told.append(f"{member.gone} The other servers go on without it.")

    def _no_room(self, fault: BackendError | None) -> BackendError:
        """What to say when no server takes the request: final only where none ever will."""
        now = _now()
        left = [member for member in self._members if not member.gone]
        if not left:
            return fault or BackendError("refused", self._members[0].gone, retry=False)
        rests = [member.rests_until - now for member in left if member.is_open]
        wait = max(0.0, min(rests, default=_FIRST_LOOK)) or None
        if fault is not None and fault.retry:
            return BackendError(fault.kind, fault.message, retry=True, retry_after=wait)
        message = f"All {len(left)} servers of {self._name} are busy or resting."
        return BackendError("rate-limit", message, retry=True, retry_after=wait)

    # -- getting ready ----------------------------------------------------------------------------

    async def _open(self, member: Member, report: Callable[[Progress], None]) -> Exception | None:
        """The reason why a server could not be opened, ``None`` where it was."""
        try:
            await member.backend.open(report)
        except (PartMissing, BadInput) as error:
            return error
        member.is_open = True
        return None

    def _look_again(self, member: Member) -> None:
        task = asyncio.create_task(self._look(member))
        self._looking.add(task)
        task.add_done_callback(self._looking.discard)

    async def _look(self, member: Member) -> None:
        """Until a server that was not there is."""
        wait = _FIRST_LOOK
        while True:
            await asyncio.sleep(wait)
            wait = min(LONGEST_REST, 2 * wait)
            error = await self._open(member, lambda _: None)
            if error is None:
                self._told.append(f"{member.server} is there now, and takes part.")
                return
            if isinstance(error, BadInput):
                member.gone = error.message
                self._told.append(f"{error.message} The other servers go on without it.")
                return

    def _joined(self) -> ModelInfo:
        infos = [member.backend.info for member in self._members]
        contexts = [info.context for info in infos if info.context is not None]
        return msgspec.structs.replace(
            infos[0],
            name=self._name,
            server=", ".join(sorted(member.server for member in self._members)),
            local=all(info.local for info in infos),
            stops_when_told=all(info.stops_when_told for info in infos),
            context=min(contexts, default=None),
            concurrency=sum(info.concurrency for info in infos),
            choices_per_request=min(info.choices_per_request for info in infos),
        )


def _again(fault: BackendError) -> BackendError:
    """The fault of one server, which is no reason to wait for the others or to give up."""
    return BackendError(fault.kind, fault.message, retry=True)


def _now() -> float:
    return asyncio.get_running_loop().time()
