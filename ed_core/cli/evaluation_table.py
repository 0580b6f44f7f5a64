"""Table of `edkit evaluate` for the terminal: every number beside its floor."""

from collections.abc import Mapping

from rich import box
from rich.markup import escape
from rich.table import Table

from ed_core.evaluation import Numbers, Subject, positions
from ed_core.runs.run import Run

_ABOUT = (
    "model",
    "data",
    "split",
    "samples",
    "code_size",
    "parameters",
    "only",
    "score",
    "expert",
    "odd_share",
    "weights",
    "rate",
    "rate_low",
    "rate_high",
)
_FLOORS = {
    "mse": {"PCA": "pca_mse", "untrained": "untrained_mse"},
    "accuracy": {"majority": "majority"},
    "knn_accuracy": {"majority": "knn_majority"},
    "pixel_accuracy": {"majority": "majority"},
    "rmse": {"training mean": "mean_rmse"},
    "agreement": {"chance": "agreement_chance"},
    "auroc": {
        "PCA": "pca_auroc",
        "PCA, same score": "pca_score_auroc",
        "expert's PCA": "expert_auroc",
        "half-hour median": "half_hour_auroc",
    },
    "average_precision": {
        "all odd": "odd_share",
        "expert's PCA": "expert_average_precision",
        "half-hour median": "half_hour_average_precision",
    },
    "f1": {"all odd": "all_odd_f1", "expert's PCA": "expert_f1"},
    "pixel_auroc": {"expert's PCA": "expert_pixel_auroc"},
    "aupro": {"expert's PCA": "expert_aupro"},
}
_MEANING = {
    "mse": "squared error per {number}",
    "sum_squared_error": "squared error per {sample}",
    "active_fraction": "units above 1 % of the maximum",
    "neg_elbo": "reconstruction + KL",
    "reconstruction": "loss of the reconstruction",
    "kl": "nats from the prior",
    "active_units": "latent dimensions in use",
    "accuracy": "share of right answers",
    "knn_accuracy": "share right by the 5 nearest codes",
    "mean_iou": "mean over classes in the truth",
    "pixel_accuracy": "share of right {numbers}",
    "rmse": "root mean square error",
    "mae": "mean absolute error",
    "within_10": "share at most 10 off",
    "absolute_error": "mean absolute error",
    "loss": "loss, unweighted",
    "agreement": "share drawn as asked",
    "diversity": "spread within a class, drawn over real",
    "auroc": "odd scores above normal",
    "average_precision": "mean precision over the recall of odd samples",
    "f1": "at the threshold",
    "pixel_auroc": "odd pixels above normal",
    "aupro": "overlap of defects, up to 30 % false alarms",
    "threshold": "score of an alarm",
    "false_positive_rate": "alarms among normal samples",
    "detection_rate": "alarms among odd samples",
}
_IOU = "_iou_"  # between a head and a class
_COUNTED = {
    "knn_accuracy": "knn_count",
    "agreement": "agreement_count",
    "diversity": "agreement_count",
    "threshold": "threshold_count",
    "false_positive_rate": "normal_count",
    "detection_rate": "abnormal_count",
}
_OF_A_RECONSTRUCTION = ("mse", "sum_squared_error")
_NEUTRAL = {"number": "number", "sample": "sample", "numbers": "positions", "head": ""}
Words = Mapping[str, Mapping[str, str]]


def words_of(run: Run) -> dict[str, dict[str, str]]:
    """Return the words for one number and one sample of each head, by head.

    A single reconstruction has the key "".
    """
    subject, words = Subject(run, {}), {}
    for head in run.model.heads:
        field = run.fields.get(head.target) if head.needs_target else None
        if field is None:
            continue
        flat = field.kind in ("image", "video") or positions(field) == 2
        one = "pixel" if flat and (field.kind == "class" or field.shape[-1:] == (1,)) else "number"
        of = field.kind if field.kind in ("image", "video", "signal") else "sample"
        name = head.name
        if head in subject.reconstructions:
            name = subject.prefix(head).removesuffix("_")
        several = "pixels" if flat else "positions"
        words[name] = {"number": one, "sample": of, "numbers": several, "head": head.name}
    return words


def format_table(result: Numbers, words: Words | None = None) -> Table:
    """Return the numbers of `evaluate` as a table: name, value, floor, count, meaning.

    Args:
        result: the numbers.
        words: for a number and a sample of each head, from `words_of`.
    """
    of_all = "all samples" if result["split"] == "all" else f"{result['split']} split"
    about = f"{result['model']} on {result['data']}, {of_all}"
    if "weights" in result:
        about += f", {result['weights']} weights"
    if "only" in result:
        about += f", {result['only']} is normal"
    counts = [f"{result['samples']:,} samples", f"{result['parameters']:,} parameters"]
    if "code_size" in result:
        counts.append(f"code of {result['code_size']:,}")
    if "score" in result:
        counts.append(f"score {result['score']}")
    if "expert" in result:
        counts.append(f"expert's PCA of {result['expert']}")
    if not _rows(result):
        counts.append("no head with a number: --classifier RUN2 judges a generator of classes")
    table = Table(
        title=escape(about), caption=", ".join(counts), box=box.SIMPLE_HEAD, title_style="bold"
    )
    table.add_column("measure", no_wrap=True)
    table.add_column("value", justify="right", style="bold", no_wrap=True)
    table.add_column("floor", justify="right", no_wrap=True)
    table.add_column("of", justify="right", no_wrap=True)
    table.add_column("meaning", style="dim")
    for name, floors in _rows(result).items():
        floor = "\n".join(f"{label} {number(result[key])}" for label, key in floors.items())
        head, of_class, which = name.partition(_IOU)
        row_label = f"  {which}" if of_class else name
        meaning = f"IoU of {head}" if of_class else _meaning(name, result, words or {})
        count = number(_count(name, result, words or {}))
        table.add_row(escape(row_label), number(result[name]), floor, count, escape(meaning))
    return table


def _count(name: str, result: Numbers, words: Words) -> object:
    """Return the number of samples or targets behind a number."""
    keys = [f"{name}_count", _COUNTED.get(name, "")]
    if name in _OF_A_RECONSTRUCTION and "" in words:
        keys.append(f"{words['']['head']}_count")
    parts = name.partition(_IOU)[0].split("_")
    keys += ["_".join([*parts[:length], "count"]) for length in range(len(parts), 0, -1)]
    return next((result[key] for key in keys if key in result), result["samples"])


def number(value: object) -> str:
    """Format a number: whole ones in full, others with four digits."""
    if not isinstance(value, float):
        return f"{value:,}" if isinstance(value, int) else str(value)
    return f"{value:.4g}" if 1e-4 <= abs(value) < 1e4 or not value else f"{value:.3e}"


def _rows(result: Numbers) -> dict[str, dict[str, str]]:
    """Return every measure with its floors, label to key; floors have no rows of their own."""
    rows = {}
    for name in result:
        if name not in _ABOUT and (_IOU in name or not name.endswith("_count")):
            prefix, floors_of_measure = _split(name, _FLOORS)
            keys = {
                label: prefix + key for label, key in _FLOORS.get(floors_of_measure, {}).items()
            }
            rows[name] = {label: key for label, key in keys.items() if key in result}
    taken = {key for floors in rows.values() for key in floors.values()}
    return {name: floors for name, floors in rows.items() if name not in taken}


def _split(name: str, entries: dict[str, dict[str, str]] | dict[str, str]) -> tuple[str, str]:
    """Return a head's prefix and the measure, such as ("label_", "accuracy")."""
    for end in sorted(entries, key=len, reverse=True):
        if name == end or name.endswith(f"_{end}"):
            return name[: -len(end)], end
    return "", name


def _meaning(name: str, result: Numbers, words: Words) -> str:
    """Return the meaning of a number, in the words of the head's field."""
    prefix, meanings = _split(name, _MEANING)
    if name == "threshold" and "rate_low" in result:
        low, high = (100 * float(str(result[key])) for key in ("rate_low", "rate_high"))
        return f"score of an alarm; false alarms {low:.2g} to {high:.2g} % (95 %)"
    return _MEANING.get(meanings, "").format(**words.get(prefix.removesuffix("_"), _NEUTRAL))


def calibration_lines(result: Numbers) -> str:
    """Return what `edkit calibrate` says: the scores that were tried, and the threshold."""
    prefix = "synthetic_auroc_"
    tried = {key.removeprefix(prefix): v for key, v in result.items() if key.startswith(prefix)}
    lines = [
        f"{'*' if name == result['score'] else ' '} {name:24} {number(area)}"
        for name, area in sorted(tried.items(), key=lambda one: -float(str(one[1])))
    ]
    if lines:
        lines.insert(0, "score, with its AUROC on synthetic defects")
    low, high, rate = (100 * float(str(result[key])) for key in ("rate_low", "rate_high", "rate"))
    lines.append(
        f"{result['score']} above {number(result['threshold'])} is odd: {rate:.3g} % false alarms "
        f"on {result['threshold_count']:,} normal samples of {result['data']}, {result['split']}; "
        f"so many allow {low:.2g} to {high:.2g} % (95 %)."
    )
    return "\n".join(lines)
