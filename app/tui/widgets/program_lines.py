"""The program a sample was re-written as, under its text: as it is written, and what came of running it."""

from __future__ import annotations

from rich.segment import Segment

from app.runs.state import Sample
from app.tui.text import fit
from app.tui.text.markdown import Lines, Look, program_lines, wrap
from app.tui.text.marks import number
from app.tui.widgets.colours import Palette


def translation_lines(sample: Sample, width: int, look: Look, colours: Palette) -> Lines:
    """A heading, the program, and its result; none for a sample that nobody re-writes."""
    if not sample.translation and sample.program_status is None:
        return []
    heading = "As a program" + (f", by {fit.one_line(sample.translator)}" if sample.translator else "")
    if sample.shared_with is not None:
        heading += f", as for #{number(sample.shared_with)}"
    lines: Lines = [[], [Segment(fit.head(heading, width), look.heading)]]
    program = _code_of(sample.program)
    if program.strip():
        lines += program_lines(program, width, look)
    if sample.program_status is None:
        return [*lines, [Segment("▏", colours.live)]]
    style = colours.strong if sample.program_status == "agrees" else colours.dim
    return [*lines, *([Segment(line, style)] for line in wrap(program_result(sample), width))]


def program_result(sample: Sample) -> str:
    """What came of the program, in one sentence."""
    reason = fit.one_line(sample.program_reason)
    told = fit.head(sample.program_answer, 40) if sample.program_answer else ""
    match sample.program_status:
        case "agrees":
            return f"It answers {told or 'the same'}, as the sample does: kept."
        case "differs":
            return f"It answers {told or 'otherwise'}, the sample does not: dropped."
        case "failed":
            return f"It failed: {reason or 'no reason given'}."
        case "not-run":
            return f"Not run: {reason or 'there was nothing to run'}."
        case _:
            return ""


def _code_of(text: str) -> str:
    """What a translator wrote, without the fence around it, closed or not."""
    _, fence, rest = text.partition("```")
    if not fence:
        return text
    return rest.partition("\n")[2].partition("```")[0]
