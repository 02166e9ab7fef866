"""The prediction log becomes a table: nothing lost, nothing twice, whatever is killed."""

import os
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from clow_nb.serve.log import look
from clow_nb.serve.rolling import Rolled, roll, table_at
from clow_nb.serve.traffic import Entry, TrafficWriter, segments

WRITER = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from clow_nb.serve.traffic import Entry, TrafficWriter
writer = TrafficWriter(Path(sys.argv[1]) / "traffic", flush_s=0.05, roll_bytes=20_000)
for number in range(10**9):
    writer.add(Entry(datetime.now(UTC), f"{sys.argv[2]}-{number}", "s", "v1", "m", {"text": "한글"}, {"label": number}, 200, 1, 2))
    time.sleep(0.001)
"""
ROLLER = """
import sys
from pathlib import Path
from clow_nb.serve.rolling import roll
print("going", flush=True)
while True:
    roll(Path(sys.argv[1]), tidy_s=0.05, wait=5)
"""


def _start(code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True)


def _numbers(folder: Path, writer: str) -> list[int]:
    ids = look(folder).find()["request_id"]
    return sorted(int(one.partition("-")[2]) for one in ids if one.startswith(f"{writer}-"))


def test_rolls_that_are_killed_lose_and_double_nothing(tmp_path: Path) -> None:
    writers, chance = [_start(WRITER, str(tmp_path), str(number)) for number in range(2)], random.Random(3)
    try:
        for _ in range(6):
            roller = _start(ROLLER, str(tmp_path))
            assert roller.stdout is not None and roller.stdout.readline() == "going\n"
            until = time.monotonic() + chance.uniform(0.02, 0.6)
            while time.monotonic() < until:
                for number in range(2):  # readers never see a gap or a double, while it goes on
                    seen = _numbers(tmp_path, str(number))
                    assert seen == list(range(len(seen)))
            os.kill(roller.pid, signal.SIGKILL)
            roller.wait()
    finally:
        for writer in writers:
            os.kill(writer.pid, signal.SIGKILL)
            writer.wait()
    before = {number: _numbers(tmp_path, str(number)) for number in range(2)}
    assert roll(tmp_path) is not None and segments(tmp_path / "traffic") == []
    table = table_at(tmp_path)
    assert table is not None and table.count_rows() == sum(map(len, before.values())) > 200
    assert {number: _numbers(tmp_path, str(number)) for number in range(2)} == before


def test_old_entries_go_and_never_come_back(tmp_path: Path) -> None:
    writer, now = TrafficWriter(tmp_path / "traffic"), datetime.now(UTC)
    for day in range(10):
        writer.add(Entry(now - timedelta(days=day, minutes=1), str(day), "s", "v1", "m", {}, {}, 200, 0, 0))
    writer.flush()
    assert roll(tmp_path, days=30) == Rolled(10, 0, 0)
    assert roll(tmp_path, days=5, tidy_s=0) == Rolled(0, 0, 5)
    (tmp_path / "rolled.json").unlink()
    assert roll(tmp_path, days=5, tidy_s=0) == Rolled(0, 0, 0)
    writer.close()
    assert look(tmp_path).find()["request_id"].to_list() == ["4", "3", "2", "1", "0"]
