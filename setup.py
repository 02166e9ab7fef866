"""Set-up of `clow_nb`: everything it declares is read from `settings.ini`, save the plug-ins, which are named here."""

import configparser
from pathlib import Path

import setuptools

HERE = Path(__file__).parent
SETTINGS = configparser.ConfigParser(delimiters=["="], interpolation=None)
SETTINGS.read(HERE / "settings.ini", encoding="utf-8")
CONFIG = SETTINGS["DEFAULT"]

ENTRY_POINTS = {
    "console_scripts": ["clow = clow_nb.cli.main:main"],
    "papermill.engine": ["clow = clow_nb.runs.engine:ClowEngine"],
    "clow_nb.reader": [
        f"{name} = clow_nb.data.{module}:read_{name}"
        for module, names in {
            "delimited": ("csv", "tsv"),
            "json_files": ("json", "jsonl"),
            "columnar": ("parquet", "arrow", "txt"),
            "sheets": ("xlsx",),
            "folders": ("folder", "zip", "images"),
            "idx": ("idx",),
        }.items()
        for name in names
    ],
    "clow_nb.writer": [
        f"{name} = clow_nb.data.{module}:write_{name}"
        for module, names in {
            "writers": ("csv", "tsv", "json", "jsonl", "txt"),
            "exports": ("parquet", "arrow", "xlsx"),
        }.items()
        for name in names
    ],
    "clow_nb.solution": [
        "nlp-intent = clow_nb.train.solutions.nlp_intent:NlpIntent",
        "tabular = clow_nb.train.solutions.tabular:Tabular",
        "ts-forecast = clow_nb.train.solutions.ts_forecast:TsForecast",
        "vision-cls = clow_nb.train.solutions.vision_cls:VisionCls",
    ],
    "clow_nb.scorer": ["default = clow_nb.evals.scoring:score_models"],
    "clow_nb.predictor": ["service = clow_nb.serve.asking:open_service"],
    "clow_nb.template": [
        f"{name} = clow_nb.evals.{module}:{name}"
        for module, names in {
            "overviews": ("summary", "slices", "versions"),
            "matrices": ("confusion", "classes"),
            "truths": ("truth", "thresholds"),
            "sureness": ("confidences", "calibration", "curves"),
            "numbers": ("residuals", "fit"),
            "series": ("forecast", "horizon", "anomalies"),
            "examples": ("wrong", "conflicts", "gallery"),
            "labelling": ("balance", "doubts"),
        }.items()
        for name in names
    ],
    "clow_nb.scheduled": [
        "notebook = clow_nb.runs.firing:start_notebook",
        "pipeline = clow_nb.pipelines.pipeline:start_pipeline",
    ],
    "clow_nb.workflow": ["pipeline = clow_nb.pipelines.pipeline:pipeline_workflow"],
    "clow_nb.loop": [
        "schedules = clow_nb.runs.firing:fire_due",
        "triggers = clow_nb.pipelines.triggers:poll_triggers",
    ],
    "clow_nb.view": [
        "dataset = clow_nb.ui.pages:dataset_view",
        "rawdata = clow_nb.ui.pages:dataset_view",
        "training = clow_nb.ui.launcher:training_view",
        "tuning = clow_nb.ui.tuning:tuning_view",
        "model = clow_nb.ui.registry:model_view",
        "evaluation = clow_nb.ui.evaluation:evaluation_view",
        "comparison = clow_nb.ui.compared:comparison_view",
        "run = clow_nb.ui.run:run_view",
        "workspace = clow_nb.ui.app:workspace_view",
        "service = clow_nb.ui.service:service_view",
        "review = clow_nb.ui.reviewing:review_view",
        "lineage = clow_nb.ui.lineage:lineage_view",
    ],
}

setuptools.setup(
    name=CONFIG["lib_name"],
    version=CONFIG["version"],
    description=CONFIG["description"],
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author=CONFIG["author"],
    license="Apache-2.0",
    keywords=CONFIG["keywords"],
    python_requires=f">={CONFIG['min_python']}",
    packages=setuptools.find_packages(include=["clow_nb", "clow_nb.*"]),
    include_package_data=True,
    package_data={
        "clow_nb": [
            "py.typed",
            "locale/*/*.json",
            "runs/notebooks/*.ipynb",
            "ui/static/**/*",
        ]
    },
    install_requires=CONFIG["requirements"].split(),
    extras_require={
        name: CONFIG[f"{name}_requirements"].split()
        for name in ("dev", "postgres", "s3", "ray")
    },
    entry_points=ENTRY_POINTS,
    zip_safe=False,
)
