"""A version that is exported: its manifests are what Kubernetes takes, and its container's command serves from the bare folder."""

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

import pytest
import yaml

from clow_nb.serve.client import ask
from clow_nb.serve.exporting import export_version
from clow_nb.serve.manifests import manifests
from clow_nb.serve.spec import ServiceSpec

KINDS = {"ConfigMap", "Deployment", "HorizontalPodAutoscaler", "PodDisruptionBudget", "Service"}


def test_the_manifests_are_what_kubernetes_takes(make_spec: Callable[..., ServiceSpec]) -> None:
    schemas = pytest.importorskip("kubernetes_validate")
    for shape in ({}, {"replicas_min": 2, "replicas_max": 5, "platform": "cuda", "gpus": 1, "memory_mb": 4096}):
        objects = manifests(make_spec(shape=shape, workers=2), name="s-intent")
        for one in objects.values():
            schemas.validate(one, schemas.latest_version(), strict=True)
    assert {one["kind"] for one in objects.values()} == KINDS
    pod = objects["deployment"]["spec"]["template"]["spec"]
    with pytest.raises(schemas.ValidationError):
        schemas.validate({**objects["deployment"], "spec": {**objects["deployment"]["spec"], "replicas": "two"}}, schemas.latest_version(), strict=True)
    assert pod["securityContext"]["runAsNonRoot"] and pod["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "1"


def test_the_containers_command_serves_from_the_bare_folder(make_spec: Callable[..., ServiceSpec], free_port: int, tmp_path: Path) -> None:
    folder = export_version(make_spec(), tmp_path / "out")
    deployment = yaml.safe_load((folder / "kubernetes/deployment.yaml").read_text())
    probes = {deployment["spec"]["template"]["spec"]["containers"][0][f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness", "readiness")}
    line = next(line for line in (folder / "Dockerfile").read_text().splitlines() if line.startswith("CMD "))
    words = [sys.executable, *json.loads(line.removeprefix("CMD "))[1:]]
    words[words.index("0.0.0.0")], words[words.index("8080")] = "127.0.0.1", str(free_port)
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(words, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        until = time.monotonic() + 120
        while b"serving s-intent v1" not in (tmp_path / "log").read_bytes():
            assert server.poll() is None and time.monotonic() < until, f"{shlex.join(words)}: {(tmp_path / 'log').read_text()}"
            time.sleep(0.1)
        assert ask(f"http://127.0.0.1:{free_port}/predict", {"text": "내일 알람 맞춰줘"})["label"] == "alarm"
        for path in probes:
            assert urlopen(f"http://127.0.0.1:{free_port}{path}").status == 200
    finally:
        server.terminate()
        assert server.wait(30) == 0
