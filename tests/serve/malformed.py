"""Requests that no client should send: broken, deep, huge, mistyped, misencoded; always the same ones for a seed."""

import json
import random
import struct
from collections.abc import Iterator

GOOD = b'{"text": "play some music"}'
TENSOR = {"inputs": [{"name": "text", "datatype": "BYTES", "shape": [1], "data": ["play"]}]}
NUMBERS = (b"NaN", b"Infinity", b"1e999", b"-0", b"1" * 400, b"0.1e", b"null", b"true", b'"\\ud800"', b'"\\u0000"')
KINDS = (
    *(b"application/json", b"application/json; charset=euc-kr", b"text/plain", b"text/xml", b"image/png", b"image/", b"application/octet-stream"),
    *(b"multipart/form-data", b"multipart/form-data; boundary=b", b"multipart/form-data; boundary=" + b"x" * 300, b"multipart/form-data; boundary=\xff"),
    *(b"application/x-www-form-urlencoded", b"\xff\xfe", b"", b";;;", b"a" * 5000),
)
NAMES = (b"content-encoding", b"x-request-id", b"x-author", b"prefer", b"x-callback-url", b"inference-header-content-length", b"x-clow-key", b"accept", b"cookie")
VALUES = (b"gzip", b"\xff\xfe", b"respond-async", b"http://169.254.169.254/", b"file:///etc/passwd", b"-1", b"99999999999999999999", b"x" * 20_000, b"", b"%00")


def tensors(chance: random.Random) -> bytes:
    """A request for inference with something wrong in it."""
    broken = {
        "name": chance.choice(["text", "", "x", 1, None]),
        "datatype": chance.choice(["BYTES", "FP32", "INT64", "BOOL", "FP16", "UINT64", "FP9", None]),
        "shape": chance.choice([[1], [0], [], [1, 0], [0, 3], [-1], [2**62], [2**31, 2**31], [1, 1, 1], "1", [1.5], None]),
        "data": chance.choice([["a"], [], None, [[["a"]]], [["a"], "b"], [None], [1e308], [2**70], [{"a": 1}], [True, 2], "a"]),
        "parameters": chance.choice([{}, {"binary_data_size": chance.choice([-5, 0, 3, 2**40, "x", None])}, None]),
    }
    asked = {"inputs": [broken] * chance.choice([0, 1, 1, 2]), "outputs": chance.choice([[], None, [{"name": "label"}], [{"name": ""}], [{"name": "no", "parameters": {"binary_data": 1}}]])}
    return json.dumps(asked).encode() + chance.choice([b"", struct.pack("<I", chance.choice([0, 1, 2**31])) + b"ab"])


def form(chance: random.Random) -> bytes:
    """A form for the boundary `b`, more or less."""
    head = chance.choice([b'name="image"; filename="a.png"', b'name="image"', b'filename="\xff"', b"", b'name="' + b"a" * 9000 + b'"'])
    part = b"--b\r\ncontent-disposition: form-data; " + head + b"\r\n\r\n" + chance.randbytes(chance.choice([0, 5, 2000])) + b"\r\n"
    return part * chance.choice([1, 2, 300]) + chance.choice([b"--b--\r\n", b"", b"--b", b"--c--\r\n"])


def body(chance: random.Random) -> bytes:
    """Something that is sent in place of a document."""
    kind = chance.randrange(9)
    if kind == 0:
        return chance.randbytes(chance.choice([0, 1, 30, 3000]))
    if kind == 1:
        return GOOD[: chance.randrange(len(GOOD))]
    if kind == 2:
        opened, closed = chance.choice([(b"[", b"]"), (b'{"a":', b"}"), (b'{"text":[', b"]}")])
        depth = chance.choice([5, 300, 5000, 100_000])
        return opened * depth + chance.choice([b"", b"1" + closed * depth])
    if kind == 3:
        return b'{"text": ' + chance.choice(NUMBERS) + b', "values": [' + chance.choice(NUMBERS) + b"]}"
    if kind == 4:
        return '{"text": "내일 알람"}'.encode(chance.choice(["cp949", "utf-16", "utf-8-sig", "utf-32", "utf-7"]))
    if kind == 5:
        return tensors(chance)
    if kind == 6:
        return form(chance)
    if kind == 7:
        return json.dumps({chance.choice(["documents", "text", "values", "", "inputs"]): chance.choice([None, [], {}, "", [[]], [{}] * 70, {"text": 1}, "a" * 200_000])}).encode()
    changed = bytearray(GOOD)
    for _ in range(chance.randrange(1, 5)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def request(chance: random.Random, models: list[bytes], token: bytes = b"") -> bytes:
    """One request as it goes over the wire, `connection: close`; what is announced always comes, so nobody waits for more."""
    name = chance.choice([*models, b"nobody", b"%00", b"..", b"%ed%a0%80", "가".encode()])
    path = chance.choice([
        b"/predict", b"/predict", b"/predict?model=" + name, b"/predict?probabilities=%ff&model=&model", b"/predict?" + b"a=" * 2000, b"/forecast", b"/feedback/" + name, b"/results/" + name,
        b"/v2/models/" + name + b"/infer", b"/v2/models/" + name + b"/versions/" + chance.choice([b"1", b"v1", b"", b"%0a"]) + b"/infer", b"/v2/models/" + name, b"/results/", b"/v2/models//infer",
    ])  # fmt: skip
    method = chance.choice([*[b"POST"] * 8, b"GET", b"PUT", b"OPTIONS", b"HEAD", b"DELETE", b"BREW"])
    sent = body(chance)
    headers = [b"host: x", b"connection: close"]
    if token and chance.random() < 0.9:
        headers.append(b"x-api-key: " + token)
    if chance.random() < 0.7:
        headers.append(b"content-type: " + chance.choice(KINDS))
    headers += [chance.choice(NAMES) + b": " + chance.choice(VALUES) for _ in range(chance.choice([0, 0, 1, 3]))]
    if chance.random() < 0.2:
        sent = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (sent[:7], sent[7:]) if part) + chance.choice([b"0\r\n\r\n", b"0\r\n\r\n", b"zz\r\n"])
        headers.append(b"transfer-encoding: chunked")
    else:
        headers.append(b"content-length: " + chance.choice([b"%d" % len(sent)] * 9 + [b"-1", b"many"]))
    return method + b" " + path + b" HTTP/1.1\r\n" + b"\r\n".join(headers) + b"\r\n\r\n" + sent


def requests(seed: int, count: int, models: list[bytes], token: bytes = b"") -> Iterator[bytes]:
    """`count` requests, the same for the same seed."""
    chance = random.Random(seed)
    for _ in range(count):
        yield request(chance, models, token)
