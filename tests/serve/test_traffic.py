"""The prediction log under killed processes and many writers."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from clow_nb.serve.traffic import Entry, TrafficWriter, read_traffic, segments

WRITER = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from clow_nb.serve.traffic import Entry, TrafficWriter
writer = TrafficWriter(Path(sys.argv[1]), flush_s=0.1)
for number in range(10**9):
    writer.add(Entry(datetime.now(UTC), f"{sys.argv[2]}-{number}", "s", "v1", "m", {"text": "한글 " * 50}, {"label": number}, 200, 1, 2))
    print(number, flush=True)
    time.sleep(0.0005)
"""


def test_a_killed_process_loses_no_more_than_the_last_flush(tmp_path: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path / "log"), str(number)], stdout=subprocess.PIPE, text=True)
        for number in range(2)
    ]
    counts = []
    for writer in writers:
        assert writer.stdout is not None
        while int(writer.stdout.readline()) < 200:
            pass
    time.sleep(0.5)
    for writer in writers:
        os.kill(writer.pid, signal.SIGKILL)
        counts.append(len((writer.communicate()[0] or "").splitlines()) + 201)
    frame = read_traffic(tmp_path / "log")
    for number, count in enumerate(counts):
        mine = frame.filter(pl.col("request_id").str.starts_with(f"{number}-"))
        assert mine["request_id"].to_list() == [f"{number}-{n}" for n in range(len(mine))]
        assert 201 <= len(mine) <= count
    assert frame["time"].is_sorted()


def test_torn_and_foreign_lines_are_left_out(tmp_path: Path) -> None:
    writer = TrafficWriter(tmp_path)
    for number in range(3):
        writer.add(Entry(datetime.now(UTC), str(number), "s", "v1", "m", {"text": "가\n나"}, None, 504, 0, 0))
    writer.close()
    [segment] = segments(tmp_path)
    text = segment.read_bytes()
    segment.write_bytes(text[: len(text) // 2] + b"\n" + b'{"time": 3}\n\n\xff\xfe\n' + text)
    frame = read_traffic(tmp_path)
    assert frame["request_id"].to_list() == ["0", "0", "1", "2"]
    assert frame["input"].to_list() == ['{"text":"가\\n나"}'] * 4
    assert frame["output"].null_count() == 4 and frame["status"].unique().to_list() == [504]


def test_since_and_version(tmp_path: Path) -> None:
    writer, start = TrafficWriter(tmp_path), datetime(2026, 11, 1, tzinfo=UTC)
    for hour in range(10):
        entry = Entry(start + timedelta(hours=hour), str(hour), "s", f"v{hour % 2}", "m", {}, {}, 200, 0, 0)
        writer.add(entry)
    writer.close()
    found = read_traffic(tmp_path, since=start + timedelta(hours=7), version="v1")
    assert found["request_id"].to_list() == ["7", "9"]
    assert read_traffic(tmp_path / "nothing").is_empty()
