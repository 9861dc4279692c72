"""What the journal keeps, finds and refuses."""

from __future__ import annotations

import sqlite3
from collections import deque
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from app.errors import BadInput, PartMissing
from app.models.base import BackendError
from app.runs import events as ev
from app.runs.journal import Journal, fold, new_run_id
from app.runs.migrations import MIGRATIONS, migrate
from tests.app.runs.recordings import batches, call, finished, recording, start

ANSWERS = ["72", "24", "72", None, "96", "72", "24", "72"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "journal.sqlite3"


def write(path: Path, run_id: str = "run1", *, end: bool = True) -> None:
    with Journal.open(path) as journal, journal.store(run_id) as store:
        for batch in batches(ANSWERS, run_id, end=end):
            store.append(batch)


def test_a_run_comes_back_as_it_was_written(path: Path) -> None:
    write(path)
    with Journal.open(path) as journal:
        assert journal.load("run1") == recording(ANSWERS)
        assert journal.first("run1") == recording(ANSWERS)[0]
        state = fold(journal.load("run1"))
    assert (state.finished, state.right, state.wrong, state.undecided) == (8, 4, 3, 1)
    assert state.picks["majority"].answer == "72"
    assert state.books.known.usd == Decimal("0.008")
    assert state.status == "completed"


def test_an_unknown_run_has_no_first_event(path: Path) -> None:
    with Journal.open(path) as journal, pytest.raises(BadInput, match="There is no run"):
        journal.first("nowhere")


def test_text_deltas_are_not_kept(path: Path) -> None:
    with Journal.open(path) as journal, journal.store("run1") as store:
        store.append([start()])
        store.append([call(0, 0.0), ev.TextDelta(at=0.5, sample=0, text="Thinking", tokens=2)])
        store.append(finished(0, 1.0, "72"))
        assert not any(isinstance(event, ev.TextDelta) for event in journal.load("run1"))


def test_the_summary_is_current_at_every_moment(path: Path) -> None:
    with Journal.open(path) as journal, journal.store("run1") as store:
        for index, batch in enumerate(batches(ANSWERS)):
            store.append(batch)
            summary = journal.summary("run1")
            assert summary.samples == min(index // 2, len(ANSWERS)), "a call, then its sample, and the end"
        assert summary.status == "completed"
        assert summary.usd == Decimal("0.008")
        assert summary.picks["majority"].answer == "72"
        assert summary.picks["majority"].support == 4
        assert summary.models == ["scripted"]
        assert summary.title.startswith("Natalia")


def test_an_unknown_price_makes_the_sum_unknown_not_zero(path: Path) -> None:
    with Journal.open(path) as journal, journal.store("run1") as store:
        store.append([start()])
        free = finished(0, 1.0, "72")[1]
        assert isinstance(free, ev.Charged)
        unknown = type(free.known)(usd=None, tokens=3)
        store.append([msgspec.structs.replace(free, known=unknown, at_most=unknown)])
        assert journal.summary("run1").usd is None


def test_a_run_without_an_end_is_running_while_it_is_written_and_interrupted_after(path: Path) -> None:
    with Journal.open(path) as journal:
        store = journal.store("run1")
        store.append([start()])
        assert journal.summary("run1").status == "running"
        store.close()
        assert journal.summary("run1").status == "interrupted"


def test_going_on_after_an_end_opens_the_run_again(path: Path) -> None:
    write(path)
    with Journal.open(path) as journal:
        with journal.store("run1") as store:
            store.append([ev.Resumed(at=8.0, reason="2 more")])
            assert journal.summary("run1").status == "running"
            store.append([ev.RunEnded(at=9.0, status="stopped", reason="You stopped it.")])
        assert journal.summary("run1").status == "stopped"
        assert len(journal.load("run1")) == len(recording(ANSWERS)) + 2


def test_runs_are_listed_newest_first(path: Path) -> None:
    with Journal.open(path) as journal:
        for day in (3, 1, 2):
            with journal.store(f"run{day}") as store:
                store.append([start(f"run{day}", created=f"2026-11-0{day}T00:00:00Z")])
        assert [summary.run_id for summary in journal.runs()] == ["run3", "run2", "run1"]
        assert [summary.run_id for summary in journal.runs(limit=1)] == ["run3"]
        assert journal.resolve("last") == "run3"


def test_a_beginning_of_an_id_is_enough_if_it_is_the_only_one(path: Path) -> None:
    with Journal.open(path) as journal:
        for run_id in ("abc1", "abd2", "abd22", "x_y", "xzy"):
            with journal.store(run_id) as store:
                store.append([start(run_id)])
        assert journal.resolve("abc") == "abc1"
        assert journal.resolve(" ABC1 ") == "abc1"
        assert journal.resolve("abd2") == "abd2", "a whole id wins over a longer one"
        assert journal.resolve("x_") == "x_y", "an underscore stands for itself"
        with pytest.raises(BadInput, match="several runs: abc1, abd2, abd22"):
            journal.resolve("ab")
        for wrong in ("nope", "", "%"):
            with pytest.raises(BadInput, match="There is no run"):
                journal.resolve(wrong)


def test_last_of_an_empty_journal_says_so(path: Path) -> None:
    with Journal.open(path) as journal, pytest.raises(BadInput, match="no runs yet"):
        journal.resolve("last")


def test_delete_forgets_one_run_and_no_other(path: Path) -> None:
    write(path, "run1")
    write(path, "run2")
    with Journal.open(path) as journal:
        journal.delete("run1")
        assert [summary.run_id for summary in journal.runs()] == ["run2"]
        assert journal.load("run2") == recording(ANSWERS, "run2")
        with pytest.raises(BadInput, match="There is no run"):
            journal.load("run1")
        with pytest.raises(BadInput, match="There is no run"):
            journal.delete("run1")
    (left,) = sqlite3.connect(path).execute("SELECT count(DISTINCT run) FROM events").fetchone()
    assert left == 1


def test_a_running_run_is_not_deleted(path: Path) -> None:
    with Journal.open(path) as journal, journal.store("run1") as store:
        store.append([start()])
        with pytest.raises(BadInput, match="still running"):
            journal.delete("run1")


def test_run_ids_sort_by_time_and_never_meet(path: Path) -> None:
    ids = [new_run_id(1_800_000_000 + second) for second in range(0, 10_000, 7)]
    assert ids == sorted(ids)
    assert {len(run_id) for run_id in ids} == {8}
    with Journal.open(path) as journal:
        reserved = [journal.reserve_run_id() for _ in range(300)]
    assert len(set(reserved)) == 300


def test_a_batch_is_kept_whole_or_not_at_all(path: Path) -> None:
    with Journal.open(path) as journal, journal.store("run1") as store:
        store.append([start()])
        broken = ev.Notice(at=1.0, text="half a character: \ud800")
        with pytest.raises(UnicodeEncodeError):
            store.append([*finished(0, 1.0, "72"), broken])
        assert journal.load("run1") == [start()]
        assert journal.summary("run1").samples == 0
        store.append([call(0, 0.0), *finished(0, 1.0, "72")])
        assert journal.summary("run1").samples == 1


def test_the_first_event_must_be_this_runs_start(path: Path) -> None:
    with Journal.open(path) as journal, journal.store("run1") as store:
        with pytest.raises(BadInput, match="does not begin"):
            store.append([call(0, 0.0)])
        with pytest.raises(BadInput, match="does not begin"):
            store.append([start("other")])


def test_credentials_in_other_programs_messages_are_blanked(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_API_KEY", "acme-very-secret-1")
    fault = BackendError(
        "auth",
        "401 from https://me:hunter2@host/v1: key sk-abcdefghijklmnop1234, then acme-very-secret-1, "
        "Authorization: Basic bWU6aHVudGVyMg==",
        retry=False,
    )
    with Journal.open(path) as journal, journal.store("run1") as store:
        store.append([start(), call(0, 0.0)])
        store.append(
            [
                ev.SampleFailed(
                    at=1.0,
                    sample=0,
                    call=0,
                    model="scripted",
                    kind="auth",
                    message=fault.message,
                    retry=False,
                ),
                ev.Notice(at=1.0, text=fault.message),
                ev.ModelStatus(at=1.0, model="scripted", state="failed", detail=fault.message),
                ev.RunEnded(at=1.0, status="failed", reason=fault.message),
            ]
        )
    stored = b"".join(file.read_bytes() for file in path.parent.iterdir())
    for secret in (b"hunter2", b"abcdefghijklmnop", b"acme-very-secret-1", b"bWU6aHVudGVyMg"):
        assert secret not in stored
    assert b"401 from https://***@host/v1" in stored


# -- files that cannot be used ---------------------------------------------------------------------------


def test_a_missing_journal_reads_as_empty_and_is_not_made(path: Path) -> None:
    with Journal.open(path, write=False) as journal:
        assert journal.runs() == []
        with pytest.raises(BadInput):
            journal.resolve("abc")
    assert not path.parent.exists()


@pytest.mark.parametrize("content", [b"this is no database, " * 100, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_damaged_journal_is_refused_and_left_alone(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    for write_too in (True, False):
        with pytest.raises(BadInput, match="damaged") as caught:
            Journal.open(path, write=write_too)
        assert caught.value.fix is not None
        assert ".recover" in caught.value.fix
    assert path.read_bytes() == content


def test_damage_in_the_middle_is_named_when_it_is_met(path: Path) -> None:
    write(path)
    with Journal.open(path) as journal:
        journal._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(path.read_bytes())
    content[4096 * 2 :] = b"\x5a" * (len(content) - 4096 * 2)
    path.write_bytes(content)
    with pytest.raises(BadInput, match="damaged"), Journal.open(path) as journal:
        journal.load("run1")


def test_another_programs_database_is_refused_and_left_alone(path: Path) -> None:
    path.parent.mkdir()
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE recipes (name)")
    other.commit()
    other.close()
    before = path.read_bytes()
    with pytest.raises(BadInput, match="no journal of monkeys"):
        Journal.open(path)
    assert path.read_bytes() == before


def test_a_newer_journal_is_refused_and_left_alone(path: Path) -> None:
    write(path)
    with sqlite3.connect(path) as newer:
        newer.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    newer.close()
    with pytest.raises(BadInput, match="written by a newer monkeys") as caught:
        Journal.open(path)
    assert "Upgrade" in str(caught.value.fix)
    with pytest.raises(BadInput, match="written by a newer monkeys"):
        Journal.open(path, write=False)


def test_a_folder_in_the_journals_place_is_refused(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(PartMissing, match="cannot be written"):
        Journal.open(path)


def test_a_file_in_the_folders_place_is_refused(path: Path) -> None:
    path.parent.write_text("not a folder")
    with pytest.raises(PartMissing, match="cannot be used"):
        Journal.open(path)


def test_a_full_disk_keeps_what_was_there_and_says_so(path: Path) -> None:
    with Journal.open(path) as journal, journal.store("run1") as store:
        store.append([start(), call(0, 0.0), *finished(0, 1.0, "72")])
        pages = journal._connection.execute("PRAGMA page_count").fetchone()[0]
        journal._connection.execute(f"PRAGMA max_page_count = {pages}")  # as a full disk: SQLITE_FULL
        many = [[call(index, float(index)), *finished(index, index + 1.0, "72")] for index in range(1, 500)]
        with pytest.raises(PartMissing, match="is full"):
            deque(map(store.append, many))
        kept = journal.summary("run1").samples
        journal._connection.execute(f"PRAGMA max_page_count = {pages + 10_000}")
        store.append([call(kept, 1.0), *finished(kept, kept + 1.0, "72")])
        assert fold(journal.load("run1")).finished == kept + 1


def test_no_room_on_the_disk_is_noticed_before_anything_is_spent(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("usage", (), {"free": 4096})
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    with Journal.open(path) as journal, pytest.raises(PartMissing, match="is full"):
        journal.reserve_run_id()


# -- migrations ------------------------------------------------------------------------------------------


def test_an_older_journal_is_brought_up_to_date_with_everything_in_it(path: Path) -> None:
    write(path)
    later = [*MIGRATIONS, "ALTER TABLE runs ADD COLUMN note TEXT; UPDATE runs SET note = title"]
    connection = sqlite3.connect(path, isolation_level=None)
    migrate(connection, path, later)
    assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS) + 1,)
    assert connection.execute("SELECT note FROM runs").fetchone()[0].startswith("Natalia")
    (events,) = connection.execute("SELECT count(*) FROM events").fetchone()
    assert events == len(recording(ANSWERS))
    connection.close()


def test_a_migration_that_fails_changes_nothing(path: Path) -> None:
    write(path)
    broken = [*MIGRATIONS, "ALTER TABLE runs ADD COLUMN note TEXT; SELECT * FROM nowhere"]
    connection = sqlite3.connect(path, isolation_level=None)
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, path, broken)
    assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    assert "note" not in [row[1] for row in connection.execute("PRAGMA table_info(runs)")]
    connection.close()
    with Journal.open(path) as journal:
        assert journal.load("run1") == recording(ANSWERS)


# -- speed -----------------------------------------------------------------------------------------------


def test_ten_thousand_runs_are_listed(path: Path) -> None:
    with Journal.open(path) as journal:
        with journal.store("run1") as store:
            store.append([start()])
        columns = "created, status, title, problem, plan, models, problems, samples, usd, picks"
        journal._connection.execute(
            f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) "  # noqa: S608
            f"INSERT INTO runs (run_id, {columns}) SELECT 'r' || i, {columns} FROM runs, n"
        )
        assert len(journal.runs()) == 10_001
        assert len(journal.runs(limit=20)) == 20
