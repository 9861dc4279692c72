"""Playing a recording: the same events, the same state, on any clock, from anywhere to anywhere."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path

import msgspec
import pytest

from app.errors import BadInput
from app.runs import events as ev
from app.runs.journal import fold
from app.runs.recording import parse_recording, read_recording, recording_of
from app.runs.replay import Player
from app.runs.state import RunState
from tests.app.runs.recordings import call, finished, recording, start

ANSWERS = ["24", "72", "24", "72", "72", None]


class FakeClock:
    """Time that passes only by being slept through."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.slept = 0.0

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds
        self.slept += seconds
        await asyncio.sleep(0)


def player(speed: float = math.inf, clock: FakeClock | None = None) -> Player:
    return Player(recording_of(recording(ANSWERS)), speed=speed, clock=clock or FakeClock())


async def play(one: Player) -> list[ev.Event]:
    return [event async for event in one.run()]


def facts(state: RunState) -> object:
    """All that a front end shows of a state, to compare two of them by."""
    samples = [
        (s.index, s.text, s.tokens, s.status, s.answer, s.verdict, s.known) for s in state.every_sample()
    ]
    books = (state.books.known, state.books.at_most, state.books.held)
    return samples, state.picks, state.tallies, books, state.phase, state.status, state.at, sorted(state.live)


async def test_a_replay_ends_in_the_state_of_the_run_and_says_that_it_is_one() -> None:
    one = player()
    events = await play(one)
    assert facts(one.state) == facts(fold(recording(ANSWERS)))
    assert one.state.recorded
    assert [event for event in events if not isinstance(event, ev.TextDelta)][1:] == recording(ANSWERS)[1:]


async def test_text_streams_again_as_it_came() -> None:
    one = player()
    deltas = [event for event in await play(one) if isinstance(event, ev.TextDelta)]
    for index in range(len(ANSWERS)):
        mine = [delta for delta in deltas if delta.sample == index]
        text = "".join(delta.text for delta in mine)
        assert text == f"Thinking about it for a while, sample {index}. The answer is {ANSWERS[index]}."
        assert [round(delta.at - index, 3) for delta in mine] == [0.1, 0.5, 1.0]
        assert sum(delta.tokens for delta in mine) == 10


async def test_deltas_that_a_recording_holds_are_not_made_again() -> None:
    events = recording(["72"])
    events.insert(2, ev.TextDelta(at=0.5, sample=0, text="Its own", tokens=3))
    one = Player(recording_of(events), speed=math.inf)
    assert [event.text for event in await play(one) if isinstance(event, ev.TextDelta)] == ["Its own"]


async def test_times_never_go_back() -> None:
    times = [event.at for event in await play(player())]
    assert times == sorted(times)


@pytest.mark.parametrize("speed", [0.5, 1.0, 4.0])
async def test_speed_is_a_factor_on_the_recordings_own_time(speed: float) -> None:
    clock = FakeClock()
    began = clock.now()
    one = player(speed, clock)
    when = {type(event): clock.now() - began async for event in one.run()}
    assert when[ev.RunEnded] == pytest.approx(len(ANSWERS) / speed, abs=0.06)
    assert when[ev.RunStarted] == 0.0


async def test_at_full_speed_nobody_waits() -> None:
    clock = FakeClock()
    await play(player(math.inf, clock))
    assert clock.slept == 0.0


async def test_speed_may_change_on_the_way() -> None:
    clock = FakeClock()
    one = player(1.0, clock)
    async for event in one.run():
        if isinstance(event, ev.SampleFinished) and event.sample == 1:
            assert clock.slept == pytest.approx(2.0, abs=0.06)
            one.speed = 4.0
    assert clock.slept == pytest.approx(3.0, abs=0.12)


def test_a_speed_of_nothing_is_refused() -> None:
    one = player()
    for wrong in (0.0, -1.0, math.nan):
        with pytest.raises(BadInput, match="plays nothing"):
            one.speed = wrong


async def test_while_paused_nothing_is_played_and_time_stands_still() -> None:
    one = player(math.inf)
    seen: list[ev.Event] = []

    async def watch() -> None:
        async for event in one.run():
            seen.append(event)
            if isinstance(event, ev.SampleFinished) and event.sample == 1:
                one.pause()

    task = asyncio.create_task(watch())
    await asyncio.sleep(0.02)
    stood = len(seen)
    assert one.paused
    assert one.state.finished == 2
    await asyncio.sleep(0.05)
    assert len(seen) == stood
    one.resume()
    await task
    assert one.state.phase == "ended"


async def test_a_step_plays_one_finished_sample_with_its_consequences_and_stands_still() -> None:
    one = player(1.0)
    one.pause()
    seen: list[ev.Event] = []

    async def watch() -> None:
        async for event in one.run():
            seen.append(event)  # noqa: PERF401 (as they come, not when all have come)

    task = asyncio.create_task(watch())
    await asyncio.sleep(0)
    for count in (1, 2, 3):
        one.step()
        await asyncio.sleep(0.02)
        assert one.state.finished == count
        assert isinstance(seen[-1], ev.CoverageChanged), "verdict, charge and pick belong to the step"
        assert one.position == pytest.approx(count)
        assert one.paused
    one.speed = math.inf
    one.resume()
    await task
    assert one.state.finished == len(ANSWERS)


async def test_steps_past_the_end_end_the_run() -> None:
    one = player()
    one.pause()
    for _ in range(len(ANSWERS) + 3):
        one.step()
    await asyncio.wait_for(play(one), 5)
    assert one.state.phase == "ended"


@pytest.mark.parametrize("target", [0.0, 0.05, 0.3, 1.0, 2.75, 5.999, 6.0, 99.0, -3.0])
def test_a_seek_from_anywhere_gives_the_state_of_that_moment(target: float) -> None:
    direct, back, stepwise = player(), player(), player()
    direct.seek(target)
    back.seek(99.0)
    back.seek(target)
    for part in range(1, 11):
        stepwise.seek(max(target, 0.0) * part / 10)
    assert facts(direct.state) == facts(back.state) == facts(stepwise.state)
    assert direct.position == min(max(target, 0.0), direct.duration)
    assert direct.state.finished == int(min(max(target, 0), 6))


def test_a_seek_into_the_middle_of_a_sample_shows_its_text_so_far() -> None:
    one = player()
    one.seek(2.6)
    assert one.state.live[2].text == "Thinking about it for a while,"
    assert one.state.live[2].tokens > 0


async def test_after_a_seek_backwards_everything_plays_again() -> None:
    one = player()
    whole = await play(one)
    first_state = one.state
    one.seek(0.0)
    assert one.state is not first_state
    again = await play(one)
    assert one.state.phase == "ended"
    assert facts(one.state) == facts(first_state)
    assert len(again) >= len(whole) - 3, "all but the events at the very start"


async def test_playing_on_after_a_seek_streams_only_the_rest_of_the_text() -> None:
    one = player()
    one.seek(2.6)
    before = one.state.live[2].text
    rest = [event.text for event in await play(one) if isinstance(event, ev.TextDelta) and event.sample == 2]
    assert before + "".join(rest) == "Thinking about it for a while, sample 2. The answer is 24."


async def test_a_seek_is_noticed_by_a_player_that_stands_in_a_long_silence() -> None:
    events = [start(), call(0, 0.0), *finished(0, 5000.0, "72")]
    one = Player(recording_of(events), speed=1.0)
    task = asyncio.create_task(play(one))
    await asyncio.sleep(0.01)
    one.seek(5000.0)
    await asyncio.wait_for(task, 2.0)
    assert one.state.finished == 1


async def test_stop_lets_the_run_return_and_another_iteration_goes_on() -> None:
    one = player()
    async for event in one.run():
        if isinstance(event, ev.SampleFinished):
            one.stop()
    assert one.state.finished == 1
    await play(one)
    assert one.state.finished == len(ANSWERS)


def test_marks_stand_at_the_first_right_sample_and_where_the_majority_turns() -> None:
    assert player().marks == (
        (1.0, "the majority says 24"),
        (2.0, "first right sample, #1"),
        (5.0, "the majority says 72"),
    )


async def test_a_sample_drawn_again_after_a_fault_streams_its_second_text() -> None:
    lost = ev.SampleFailed(
        at=0.6, sample=0, call=0, model="scripted", kind="server", message="503", retry=True, text="Thin"
    )
    second = msgspec.structs.replace(call(0, 0.7), call=1)
    end = [
        msgspec.structs.replace(event, call=1) if isinstance(event, ev.SampleFinished | ev.Charged) else event
        for event in finished(0, 1.7, "72")
    ]
    one = Player(recording_of([start(), call(0, 0.0), lost, second, *end]), speed=math.inf)
    deltas = [event for event in await play(one) if isinstance(event, ev.TextDelta)]
    assert all(delta.at >= 0.7 for delta in deltas)
    assert "".join(delta.text for delta in deltas).endswith("The answer is 72.")
    assert one.state.finished == 1


async def test_playing_ten_thousand_samples_at_full_speed_takes_seconds() -> None:
    one = Player(recording_of(recording(["72", "24"] * 2500)), speed=math.inf)
    began = asyncio.get_running_loop().time()
    async for _ in one.run():
        pass
    assert one.state.finished == 5000
    assert asyncio.get_running_loop().time() - began < 5


# -- files ---------------------------------------------------------------------------------------------------


def lines(answers: list[str | None] = ANSWERS, *, end: bool = True) -> bytes:
    result = b'{"type":"result","run_id":"run1","status":"completed"}\n' if end else b""
    return b"".join(ev.to_json(event) + b"\n" for event in recording(answers, end=end)) + result


def test_what_solve_printed_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes(lines())
    found = read_recording(path)
    assert found.events[1:] == tuple(recording(ANSWERS)[1:])
    assert found.duration == 6.0


@pytest.mark.parametrize(
    "dress",
    [
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: data.replace(b"\n", b"\r\n"),
        lambda data: data.replace(b"\n", b"\n\n"),
        lambda data: data.rstrip(b"\n"),
        lambda data: data.decode().encode("utf-16"),
    ],
    ids=["byte-order mark", "CRLF", "blank lines", "no last newline", "UTF-16"],
)
def test_editors_and_shells_may_dress_the_file_up(dress: object) -> None:
    assert callable(dress)
    assert len(parse_recording(dress(lines()), "f").events) == len(recording(ANSWERS))


def test_a_killed_writers_file_plays_at_any_length_it_was_cut_to() -> None:
    data = lines(end=False)
    first = data.index(b"\n") + 1
    for length in range(first, len(data), 7):
        found = parse_recording(data[:length], "f")
        end = found.events[-1]
        assert isinstance(end, ev.RunEnded)
        assert end.status == "interrupted"
        cut = not data[:length].endswith((b"\n", b"}"))
        noted = any(isinstance(event, ev.Notice) and "cut off" in event.text for event in found.events)
        assert noted or not cut


def test_a_cut_in_the_middle_of_a_character_is_forgiven_too() -> None:
    data = ev.to_json(start()) + b"\n" + ev.to_json(ev.Notice(at=1.0, text="caf\u00e9"))
    found = parse_recording(data[: data.index(b"\xa9")], "f")
    assert any(isinstance(event, ev.Notice) and "cut off" in event.text for event in found.events)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: b"", "f is empty"),
        (lambda data: b"\n\n", "f is empty"),
        (lambda data: b'{"type":"run-st', "f, line 1: this is not JSON"),
        (lambda data: data.split(b"\n", 1)[1], "f, line 1: a recording begins with"),
        (lambda data: data + data, "f, line .*: a second run begins here"),
        (lambda data: data.replace(b"sample-finished", b"sample-fnished", 1), "f, line 3: .*sample-fnished"),
        (lambda data: data.replace(b'"text":', b'"txet":', 1), "f, line 3: .*text"),
        (lambda data: data.replace(b'{"type":"call-started"', b'{"type":"call-sta', 1), "f, line 2: "),
        (lambda data: data.replace(b'"samples":[0]', b'"samples":[99999999999]', 1), ".*not the next"),
        (lambda data: data.replace(b'"samples":[0]', b'"samples":[-1]', 1), "f, line 2: .*not the next"),
        (lambda data: data.replace(b'"sample":3,', b'"sample":9,', 1), "sample 9 has not been started"),
        (lambda data: data.replace(b'"schema":1', b'"schema":2', 1), "f, line 1: .*newer monkeys"),
        (lambda data: data.replace(b'1,"model":"scripted"', b'1,"model":"x"', 1), "no model 'x'"),
        (lambda data: b"not json\n" + data, "f, line 1: this is not JSON"),
        (lambda data: b"[" * 100_000 + b"\n" + data, "f, line 1: expected `object`"),
        (lambda data: b'{"type":"notice","at":0,"x":' + b"[" * 100_000 + b"\n" + data, "nested too deeply"),
        (lambda data: b"\0\1\2\n" + data, "binary"),
    ],
)  # fmt: skip
def test_a_broken_file_is_refused_by_its_line(change: object, message: str) -> None:
    assert callable(change)
    with pytest.raises(BadInput, match=message) as caught:
        parse_recording(change(lines()), "f")
    assert "\n" not in caught.value.message
    assert caught.value.fix


def test_a_hostile_track_harms_nobody() -> None:
    sample = finished(0, 1.0, "72")[0]
    assert isinstance(sample, ev.SampleFinished)
    for track in ((5,), (0, 10**12), (-5, -5, 10**15, 3), tuple(range(20_000)), (9, 9) * 5000):
        odd = msgspec.structs.replace(sample, track=track)
        one = Player(recording_of([start(), call(0, 0.0), odd]), speed=math.inf)
        events = asyncio.run(play(one))
        text = "".join(event.text for event in events if isinstance(event, ev.TextDelta))
        assert sample.text.startswith(text)
        assert one.state.samples[0] is not None
        assert one.state.samples[0].text == sample.text
