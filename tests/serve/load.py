"""Steady traffic on a service, whatever happens to it: an open loop that checks every answer against what its version must say."""

import asyncio
import itertools
import json
import math
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

SAID = {"play new music": "music", "play calm music": "music", "서울 날씨 어때?": "weather", "주말 날씨 어때?": "weather", "아침 알람 맞춰줘": "alarm", "모레 알람 맞춰줘": "alarm"}


@dataclass
class Asked:
    """One request: when it was due (`time.monotonic`), what became of it (`status` 0: no answer came), and after how long."""

    number: int
    due: float
    text: str
    worker: str = ""
    status: int = 0
    label: str = ""
    version: str = ""
    error: str = ""
    ended: float = math.inf

    @property
    def seconds(self) -> float:
        """From when it was due to its end."""
        return self.ended - self.due


class _Wire:
    """A connection that is kept; `worker` is the process that answers on it, as far as it is known."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer, self.worker, self.open = reader, writer, "", True

    async def post(self, body: bytes, headers: str) -> tuple[int, bytes]:
        self.writer.write(f"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{headers}content-length: {len(body)}\r\n\r\n".encode() + body)
        await self.writer.drain()
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(head.split("content-length:")[1].split("\r\n")[0])
        self.open = "connection: close" not in head
        return int(head.split()[1]), await self.reader.readexactly(length)


class Load:
    """`rate` requests a second on a port, due whether or not the earlier ones are answered; nothing is ever asked twice.

    Every `fresh`-th request opens a connection of its own, the others use kept ones. `says(version, text)` is the label that a version must give.
    """

    def __init__(
        self, port: int, rate: float = 100, *, fresh: int = 4, seconds: float = 60, says: Callable[[str, str], str] = lambda version, text: SAID[text]
    ) -> None:
        self.port, self.rate, self.fresh, self.seconds, self.says = port, rate, fresh, seconds, says
        self.asked: list[Asked] = []
        self.wrong: list[Asked] = []
        self._idle: list[_Wire] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._random = random.Random(5)

    async def _run(self) -> None:
        started, tasks = time.monotonic(), set[asyncio.Task[None]]()
        for number in itertools.count():
            due = started + number / self.rate
            while not self._over.is_set() and (wait := due - time.monotonic()) > 0:
                await asyncio.sleep(min(wait, 0.05))
            if self._over.is_set():
                break
            one = Asked(number, due, self._random.choice(list(SAID)))
            self.asked.append(one)
            tasks.add(task := asyncio.create_task(self._ask(one)))
            task.add_done_callback(tasks.discard)
        await asyncio.gather(*tasks)
        for wire in self._idle:
            wire.writer.close()

    async def _wire(self, number: int) -> _Wire:
        while self._idle and number % self.fresh:
            wire = self._idle.pop()
            if not wire.reader.at_eof() and not wire.writer.is_closing():
                return wire
            wire.writer.close()
        return _Wire(*await asyncio.open_connection("127.0.0.1", self.port))

    async def _ask(self, one: Asked) -> None:
        wire: _Wire | None = None
        try:
            async with asyncio.timeout(self.seconds):
                wire = await self._wire(one.number)
                one.worker = wire.worker
                status, body = await wire.post(json.dumps({"text": one.text, "_id": f"k{one.number}"}).encode(), "")
                self._judge(one, status, body)
                wire.worker = one.worker
        except (OSError, EOFError, TimeoutError) as error:
            one.error = repr(error) if wire is not None else f"not connected: {error!r}"
        one.ended = time.monotonic()
        if wire is not None and one.status and wire.open and one.number % self.fresh:
            self._idle.append(wire)
        elif wire is not None:
            wire.writer.close()

    def _judge(self, one: Asked, status: int, body: bytes) -> None:
        answer: dict[str, Any] = json.loads(body)
        one.status, one.worker = status, str(answer.get("request_id", "")).rpartition("-")[0]
        if status != 200:
            one.error = str(answer.get("error", body[:200]))
            return
        one.label, one.version = answer["label"], answer["version"]
        if one.label != self.says(one.version, one.text):
            self.wrong.append(one)

    @property
    def in_flight(self) -> list[Asked]:
        """What is asked and not answered yet."""
        return [one for one in self.asked.copy() if one.ended == math.inf]

    @property
    def failed(self) -> list[Asked]:
        """What got no prediction, though it is over."""
        return [one for one in self.asked.copy() if one.ended < math.inf and one.status != 200]

    def met(self, since: float = -math.inf) -> Counter[str]:
        """How often each version (or status) was met by what was due after a moment."""
        return Counter(one.version or str(one.status) for one in self.asked.copy() if one.due > since and one.ended < math.inf)

    def wait_for(self, count: int, version: str = "", since: float | None = None, seconds: float = 120) -> None:
        """Wait until so many more have been answered, by `version` if it is given."""
        since, until = time.monotonic() if since is None else since, time.monotonic() + seconds
        while (self.met(since)[version] if version else self.met(since).total()) < count:
            assert time.monotonic() < until, self.met(since)
            time.sleep(0.02)

    def slowest(self, share: float = 0.99, since: float = -math.inf) -> float:
        """The time within which a share of the answered ones was answered, in seconds."""
        took = sorted(one.seconds for one in self.asked.copy() if one.due > since and one.status == 200)
        return took[min(len(took) - 1, int(share * len(took)))]

    def __enter__(self) -> "Load":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(self.seconds + 10)
