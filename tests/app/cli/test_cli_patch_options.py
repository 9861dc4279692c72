"""The options of ``solve`` that name a repository, wrongly."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.cli.main import run


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("hi", "--repo", "no-such-folder"), "no-such-folder does not exist"),
        (("hi", "--repo", __file__), "is a file, not a folder"),
        (("hi", "--kind", "math", "--repo", "."), "--repo is for patches, and this problem is math"),
        (("hi", "--test-command", "true"), "--test-command needs a repository"),
        (("hi", "--files", "a.py"), "--files needs a repository"),
        (("hi", "--repo", ".", "--test-command", " "), "The test command is empty"),
        (("hi", "--repo", ".", "--files", "no-such-file.py"), "there is no file no-such-file.py"),
        (("hi", "--test-seconds", "0"), "--test-seconds 0 is out of range"),
        (("hi", "--repeat-tests", "0"), "--repeat-tests 0 is out of range"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    arguments: tuple[str, ...],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MONKEYS_HOME", str(tmp_path / "home"))
    (tmp_path / "repo").mkdir()
    (tmp_path / "repo/a.txt").write_text("x\n")
    monkeypatch.chdir(tmp_path / "repo")
    status = run(["solve", *arguments])
    said = capsys.readouterr().err

    assert (status, message in said) == (2, True), said
    assert not (tmp_path / "home/data").exists()
