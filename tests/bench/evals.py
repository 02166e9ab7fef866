"""The metrics of a classifier with their intervals, and the same beside `mlflow.models.evaluate`.

    python tests/bench/evals.py intervals [--documents 1000000] [--classes 150] [--resamples 200]
    python tests/bench/evals.py mlflow [--documents 100000] [--classes 10]
    python tests/bench/evals.py doubts [--documents 1000000] [--classes 150]
    python tests/bench/evals.py told [--documents 1000000] [--classes 150]
    python tests/bench/evals.py view [--documents 1000000] [--classes 150] [--home FOLDER]

`intervals` measures every classification metric of a table with all probabilities, class by class and what is taken for what, and each metric
again in 200 bootstrap samples. `mlflow` gives both the same predictions and asks for the same: the metrics, the scores of each class, the
confusion matrix, the ROC and the precision-recall curves,
as tables and as pictures on disk: PNG there, SVG here, as each has them.
`doubts` ranks the labels that are likely wrong. `told` keeps answers that come a thousand at a time, as those of a service do, and makes columns
of them. Both say what memory they took beside what was there before.
`view` writes the result of an evaluation once (into FOLDER, where it stays, or into one that is removed), and opens its view in a fresh
process: seconds until its head and first cards are there, and until all are; bytes of the specifications of its charts.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl


def predictions(documents: int, classes: int, seed: int = 0) -> pl.DataFrame:
    """Probabilities of a classifier that is right three times in four, and often nearly right; made label by label."""
    rng = np.random.default_rng(seed)
    truth = rng.zipf(1.3, documents * 2) % classes if classes > 20 else rng.integers(0, classes, documents)
    truth = truth[:documents]
    near = np.where(rng.random(documents) < 0.25, rng.integers(0, classes, documents), truth)
    names, total = [f"label {number:03d}" for number in range(classes)], np.zeros(documents, dtype=np.float32)
    columns = []
    for number in range(classes):
        weight = rng.standard_normal(documents, dtype=np.float32) + 6.0 * (near == number) + 2.0 * (truth == number)
        np.exp(weight, out=weight)
        total += weight
        columns.append(weight)
    best, guess = np.zeros(documents, dtype=np.float32), np.zeros(documents, dtype=np.int64)
    for number, column in enumerate(columns):
        column /= total
        guess[column > best] = number
        np.maximum(best, column, out=best)
    label = np.array(names)
    return pl.DataFrame({"actual": label[truth], "predicted": label[guess], "confidence": best.astype(float), "correct": truth == guess}).with_columns(
        pl.DataFrame(dict(zip(names, columns, strict=True))).to_struct("probabilities")
    )


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds, and what came of it."""
    begin = time.perf_counter()
    found = work()
    return time.perf_counter() - begin, found


def intervals(given: argparse.Namespace) -> dict[str, Any]:
    """Seconds of each part, and the memory that the table and the work took."""
    from clow_nb.evals.intervals import intervals as all_intervals
    from clow_nb.evals.metrics import confusion, measure, per_class

    table = predictions(given.documents, given.classes)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    parts = {
        "measure": lambda: measure(table),
        "per class": lambda: per_class(table["actual"], table["predicted"]),
        "confusion": lambda: confusion(table["actual"], table["predicted"]),
        "intervals": lambda: all_intervals(table, resamples=given.resamples),
    }
    seconds = {name: timed(work) for name, work in parts.items()}
    print(seconds["intervals"][1])
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = {name: round(took, 2) for name, (took, _) in seconds.items()}
    return {**found, "all": round(sum(found.values()), 2), "MB before": before // 1024, "MB more at most": (after - before) // 1024}


def doubts(given: argparse.Namespace) -> dict[str, Any]:
    """Seconds of the ranking and of its summary, how many labels are doubted, and the memory."""
    from clow_nb.evals.doubts import label_noise, likely_wrong

    table = predictions(given.documents, given.classes).with_columns(
        pl.struct(pl.col("probabilities").struct.field("*").cast(pl.Float32)).alias("probabilities"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ranked, found = timed(lambda: likely_wrong(table))
    summed, _ = timed(lambda: label_noise(table))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = {"ranking": round(ranked, 2), "summary": round(summed, 2), "doubted": found.height}
    return {**seconds, "MB before": before // 1024, "MB more at most": (after - before) // 1024}


def told(given: argparse.Namespace) -> dict[str, Any]:
    """Seconds of taking all answers and of making columns, and the memory at most."""
    from clow_nb.evals.told import Told as Kept

    rng, labels, kept = np.random.default_rng(0), [f"label {number:03d}" for number in range(given.classes)], Kept()
    before, begin, at_once = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter(), 1000
    for _ in range(0, given.documents, at_once):
        shares = rng.random((at_once, given.classes))
        kept.add([{"label": labels[0], "confidence": row[0], "probabilities": dict(zip(labels, row, strict=True))} for row in shares.tolist()])
    taken = time.perf_counter() - begin
    made, (column,) = timed(kept.probabilities)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = {"taking": round(taken, 2), "columns": round(made, 2), "MB of the columns": round(column.estimated_size("mb"))}
    return {**seconds, "MB before": before // 1024, "MB more at most": (after - before) // 1024}


class Told:
    """What MLflow asks a scikit-learn model: the predictions that were made before, by the number of the document."""

    def __init__(self, labels: list[str], path: str) -> None:
        self.classes_, self.path = labels, path

    def predict_proba(self, numbers: Any) -> Any:
        return np.load(self.path)[numbers["number"].to_numpy()]

    def predict(self, numbers: Any) -> Any:
        return np.array(self.classes_)[self.predict_proba(numbers).argmax(axis=1)]


def by_mlflow(table: pl.DataFrame, folder: Path) -> dict[str, float]:
    """Its metrics; tables and pictures lie in its store. Explanations of the model, which the product doesn't make, are off."""
    import mlflow

    labels = table["probabilities"].struct.fields
    np.save(folder / "chances.npy", table["probabilities"].struct.unnest().to_numpy())
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    mlflow.create_experiment("bench", artifact_location=str(folder / "artifacts"))
    mlflow.set_experiment("bench")
    mlflow.sklearn.save_model(Told(labels, str(folder / "chances.npy")), folder / "model", serialization_format="cloudpickle")
    data = table.select(number=pl.int_range(pl.len()), label="actual").to_pandas()
    begin = time.perf_counter()
    with mlflow.start_run():
        result = mlflow.models.evaluate(
            str(folder / "model"), data, targets="label", model_type="classifier", evaluators="default",
            evaluator_config={"log_model_explainability": False, "max_classes_for_multiclass_roc_pr": len(labels)},
        )
    return {"seconds": time.perf_counter() - begin, "artifacts": len(result.artifacts), **result.metrics}


def _curves(table: pl.DataFrame, folder: Path) -> None:
    """All labels in one picture each: ROC, precision-recall, calibration."""
    import altair as alt

    from clow_nb.evals.binary import pr_curve, roc_curve
    from clow_nb.evals.calibration import reliability
    from clow_nb.evals.charts import chart_svg
    from clow_nb.evals.drawing import rows

    def of_label(label: str) -> pl.DataFrame:
        return reliability(table.select(confidence=pl.col("probabilities").struct.field(label), correct=pl.col("actual") == label))

    kinds: dict[str, tuple[Callable[[str], pl.DataFrame], str, str]] = {
        "roc": (lambda label: roc_curve(table, label), "false_positive_rate", "recall"),
        "precision_recall": (lambda label: pr_curve(table, label), "recall", "precision"),
        "calibration": (of_label, "confidence", "accuracy"),
    }
    for name, (curve, x, y) in kinds.items():
        lines = pl.concat(curve(label).select(x, y, label=pl.lit(label)) for label in table["probabilities"].struct.fields)
        lines.write_parquet(folder / f"{name}.parquet")
        chart = alt.Chart(rows(lines)).mark_line().encode(x=alt.X(x, type="quantitative"), y=alt.Y(y, type="quantitative"), color="label:N")
        (folder / f"{name}.svg").write_text(chart_svg(chart))


def by_us(table: pl.DataFrame, folder: Path) -> dict[str, float]:
    """Our metrics; tables and pictures lie in the folder."""
    from clow_nb.evals.charts import chart_svg
    from clow_nb.evals.metrics import confusion, measure, per_class
    from clow_nb.evals.probabilities import Chances, checked_columns
    from clow_nb.evals.ranking import areas
    from clow_nb.evals.templates import registry

    begin = time.perf_counter()
    metrics, labels = measure(table), table["probabilities"].struct.fields
    chances = Chances.of(checked_columns(table["probabilities"], labels, table.height), table["actual"], labels)
    found = [areas(column, rows) for column, rows in zip(chances.columns, chances.rows, strict=True)]
    classes = per_class(table["actual"], table["predicted"])
    classes.with_columns(roc_auc=pl.Series([each and each.roc_auc for each in found])).write_csv(folder / "per_class.csv")
    confusion(table["actual"], table["predicted"]).write_csv(folder / "confusion.csv")
    (folder / "confusion.svg").write_text(chart_svg(registry("template").get("confusion")(table, {"normalised": "actual"})))
    _curves(table, folder)
    return {"seconds": time.perf_counter() - begin, "artifacts": len(list(folder.iterdir())), **metrics}


def mlflow(given: argparse.Namespace) -> dict[str, Any]:
    """Seconds of both for the same predictions, after one turn with few of them; their common metrics are equal."""
    import clow_nb.evals.matrices  # noqa: F401  the template of the confusion matrix

    os.environ |= {"MLFLOW_DISABLE_TELEMETRY": "true", "GIT_PYTHON_REFRESH": "quiet"}
    found: dict[str, dict[str, float]] = {}
    for documents in (2000, given.documents):
        table = predictions(documents, given.classes, seed=1)
        for name, judge in (("mlflow", by_mlflow), ("ours", by_us)):
            with tempfile.TemporaryDirectory() as folder:
                found[name] = judge(table, Path(folder))
    ours, theirs = found["ours"], found["mlflow"]
    for name, other in (("accuracy", "accuracy_score"), ("f1_weighted", "f1_score"), ("log_loss", "log_loss")):
        print(name, ours[name], other, theirs.get(other))
        assert abs(ours[name] - theirs[other]) < 1e-9, name
    return {
        "mlflow": round(theirs["seconds"], 2), "ours": round(ours["seconds"], 2), "times": round(theirs["seconds"] / ours["seconds"], 1),
        "artifacts": [theirs["artifacts"], ours["artifacts"]],
    }


def kept(given: argparse.Namespace, home: Path) -> None:
    """An evaluation in a workspace: run on a few documents, then its next result is that of all predictions, written as a run writes it."""
    from clow_nb.evals.intervals import intervals as all_intervals
    from clow_nb.evals.judging import _publish, _write
    from clow_nb.evals.metrics import measure
    from clow_nb.workspace.workspace import Workspace

    ws, numbers = Workspace(home), pl.int_range(pl.len())
    ws.datasets.create("talk", [{"text": f"text {i}", "y": f"label {i % 9:03d}", "guess": "label 001"} for i in range(100)], label="y")
    small = ws.evaluations.create("e-talk", dataset="talk", predictions="guess").evaluate()
    table = predictions(given.documents, given.classes).select(
        pl.format("d{}", numbers).alias("_id"), pl.format("what is said in the text {}", numbers).alias("text"),
        (numbers % 4).replace_strict({0: "ko", 1: "en", 2: "ja", 3: "de"}).alias("lang"), pl.all(),
    ).with_columns(pl.struct(pl.col("probabilities").struct.field("*").cast(pl.Float32)).alias("probabilities"))  # as `table_of` makes them
    ranges = {row["metric"]: [row["low"], row["high"]] for row in all_intervals(table, resamples=50).iter_rows(named=True)}
    about = small.about | {"run": "all", "documents": table.height, "cautions": {}, "intervals": ranges, "metrics": measure(table)}
    folder = ws.home / "evaluations" / "e-talk" / "all"
    _write(folder, table, about)
    _publish(ws.ctx, "e-talk", folder)


def opened(given: argparse.Namespace) -> dict[str, Any]:
    """Seconds of each step of opening the view: imports, what is displayed, all cards; and the size of what is sent for the charts."""
    took = {"imports": timed(lambda: __import__("clow_nb.ui.evaluation") and __import__("altair"))[0]}
    from clow_nb.ui.base import chart_code, parts_of
    from clow_nb.workspace.workspace import Workspace

    took["code of charts"] = timed(chart_code)[0]
    evaluation, begin = Workspace(given.home).evaluations["e-talk"], time.perf_counter()
    view = evaluation.view()
    took["view"] = time.perf_counter() - begin
    shown = view._repr_mimebundle_()
    took["displayed"] = time.perf_counter() - begin
    assert view.header.error == "" and shown, view.header.error
    cards = view.place.children[0].children[0].children[0].cards
    while not cards.made and not cards.complete(0.01):
        pass
    took["first card"] = time.perf_counter() - begin
    assert cards.complete(120)
    took["all cards"] = time.perf_counter() - begin
    charts = [json.dumps(part.spec) for part in parts_of(cards) if hasattr(part, "spec")]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    steps = {name: round(seconds, 2) for name, seconds in took.items()}
    return {**steps, "cards": len(cards.made), "KB of charts": sum(map(len, charts)) // 1024, "MB": memory}


def view(given: argparse.Namespace) -> dict[str, Any]:
    """What `opened` says in a process of its own, where nothing was read before."""
    with tempfile.TemporaryDirectory() as folder:
        given.home = given.home or folder
        if not (Path(given.home) / "evaluations").exists():
            kept(given, Path(given.home))
        asked = [sys.executable, __file__, "opened", "--home", given.home]
        found: dict[str, Any] = json.loads(subprocess.run(asked, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
    return found


MODES = {"intervals": intervals, "mlflow": mlflow, "doubts": doubts, "told": told, "view": view, "opened": opened}


def main() -> None:
    """Print the figures of one mode as JSON."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("mode", choices=list(MODES))
    asked.add_argument("--documents", type=int)
    asked.add_argument("--classes", type=int)
    asked.add_argument("--resamples", type=int, default=200)
    asked.add_argument("--home", help="the folder of the workspace of `view`")
    given = asked.parse_args()
    defaults = (100_000, 10) if given.mode == "mlflow" else (1_000_000, 150)
    given.documents, given.classes = given.documents or defaults[0], given.classes or defaults[1]
    print(json.dumps({"load": os.getloadavg()[0], **MODES[given.mode](given)}))


if __name__ == "__main__":
    main()
