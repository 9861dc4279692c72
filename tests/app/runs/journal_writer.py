"""A process that writes a run as fast as it can, for tests that kill it: ``python -m … JOURNAL RUN COUNT``.

It goes on where the journal stands, as a resumed run does, and says on stdout what it is sure of.
"""

from __future__ import annotations

import sys
from pathlib import Path

from app.runs.journal import Journal, fold
from tests.app.runs.recordings import call, finished, start


def write(path: Path, run_id: str, count: int) -> None:
    with Journal.open(path) as journal, journal.store(run_id) as store:
        known = {summary.run_id for summary in journal.runs()}
        if run_id in known:
            state = fold(journal.load(run_id))
            done = {sample.index for sample in state.every_sample() if sample.status == "finished"}
        else:
            store.append([start(run_id, samples=count)])
            done = set()
        for index in range(count):
            if index in done:
                continue
            store.append([call(index, float(index))])
            store.append(finished(index, index + 1.0, "72"))
            print(index, flush=True)


if __name__ == "__main__":
    write(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
