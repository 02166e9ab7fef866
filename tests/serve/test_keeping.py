"""What the supervisor does for the log: rolled, and forgotten in time, whatever stands in its way."""

import threading
import time
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from clow_nb.core.context import Context
from clow_nb.serve.feedback import Feedback, Saying
from clow_nb.serve.log import look
from clow_nb.serve.recorded import keep_log
from clow_nb.serve.spec import service_folder
from clow_nb.serve.supervisor import Supervisor
from clow_nb.serve.traffic import Entry, TrafficWriter


def test_entries_and_feedback_go_together_and_a_refusal_is_only_told(ctx: Context, caplog: pytest.LogCaptureFixture) -> None:
    ctx.catalog.create("service", "s-intent")
    ctx.catalog.add_version("service", "s-intent", {"name": "v1", "spec": {"log": {"days": 5}}, "token": None, "made": "v1"}, "kim", "")
    folder, now = service_folder(ctx.home, "s-intent"), datetime.now(UTC)
    writer, said = TrafficWriter(folder / "traffic"), []
    for day in (20, 10, 1, 0):
        at = now - timedelta(days=day, minutes=1)
        writer.add(Entry(at, f"r{day}", "s-intent", "v1", "m", {}, {}, 200, 0, 0))
        said.append(msgspec.json.encode(Saying(at, f"r{day}", {"label": "alarm"})) + b"\n")
    writer.close()
    supervisor = Supervisor(ctx, "s-intent")
    supervisor.every = 0.05
    feedback = Feedback(folder)
    feedback.path.mkdir()  # what can't be read is told, and tried again
    thread = threading.Thread(target=supervisor.keep)
    thread.start()
    try:
        until = time.monotonic() + 60
        while "can't be rolled now" not in caplog.text:
            assert time.monotonic() < until
            time.sleep(0.02)
        feedback.path.rmdir()
        feedback.path.write_bytes(b"".join(said))
        while [one.request_id for one in feedback.all()] != ["r1", "r0"]:
            assert time.monotonic() < until
            time.sleep(0.02)
    finally:
        supervisor.end()
        thread.join(30)
    done = keep_log(ctx, "s-intent")
    assert done is not None and (done.rows, feedback.forget(now - timedelta(days=5))) == (0, 0)
    assert look(folder).find()["request_id"].to_list() == ["r1", "r0"]
