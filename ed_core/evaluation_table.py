"""What `evaluate` returns as a table for the terminal: every number beside its floor."""

from rich import box
from rich.markup import escape
from rich.table import Table

from ed_core.evaluation import Numbers

_ABOUT = ("model", "data", "split", "samples", "code_size", "parameters", "only")
_FLOORS = {
    "mse": {"PCA": "pca_mse", "untrained": "untrained_mse"},
    "accuracy": {"majority": "majority"},
    "knn_accuracy": {"majority": "knn_majority"},
    "pixel_accuracy": {"majority": "majority"},
    "rmse": {"training mean": "mean_rmse"},
    "agreement": {"chance": "agreement_chance"},
    "auroc": {"PCA": "pca_auroc", "PCA, same score": "pca_score_auroc"},
}
_MEANING = {
    "mse": "squared error per pixel",
    "sum_squared_error": "squared error per image",
    "active_fraction": "units above 1 % of the maximum",
    "neg_elbo": "reconstruction + KL",
    "reconstruction": "loss of the reconstruction",
    "kl": "nats from the prior",
    "active_units": "dimensions that say something",
    "accuracy": "share of right answers",
    "knn_accuracy": "share right by the 5 nearest codes",
    "mean_iou": "mean over classes in the truth",
    "pixel_accuracy": "share of right pixels",
    "rmse": "root mean square error",
    "mae": "mean absolute error",
    "within_10": "share at most 10 off",
    "absolute_error": "mean absolute error",
    "agreement": "share drawn as asked",
    "diversity": "spread within a class, drawn over real",
    "auroc": "odd scores above normal",
    "threshold": "score of an alarm",
    "false_positive_rate": "alarms among normal samples",
    "detection_rate": "alarms among odd samples",
}
_IOU = "_iou_"  # between a head and a class


def format_table(result: Numbers) -> Table:
    """Return the numbers of `evaluate` as a table: name, value, floor, meaning."""
    about = f"{result['model']} on {result['data']}, {result['split']} split"
    if "only" in result:
        about += f", trained with {result['only']} only"
    counts = [f"{result['samples']:,} samples", f"{result['parameters']:,} parameters"]
    if "code_size" in result:
        counts.append(f"code of {result['code_size']:,}")
    if not _rows(result):
        counts.append("no head with a number: --classifier RUN2 judges a generator of classes")
    table = Table(
        title=escape(about), caption=", ".join(counts), box=box.SIMPLE_HEAD, title_style="bold"
    )
    table.add_column("measure", no_wrap=True)
    table.add_column("value", justify="right", style="bold", no_wrap=True)
    table.add_column("floor", justify="right", no_wrap=True)
    table.add_column("meaning", style="dim")
    for name, floors in _rows(result).items():
        floor = "\n".join(f"{label} {number(result[key])}" for label, key in floors.items())
        head, of_class, which = name.partition(_IOU)
        if of_class:
            table.add_row(
                escape(f"  {which}"), number(result[name]), floor, escape(f"IoU of {head}")
            )
        else:
            table.add_row(escape(name), number(result[name]), floor, _meaning(name))
    return table


def number(value: object) -> str:
    """Return a number as it is read: whole ones in full, others with four digits."""
    if not isinstance(value, float):
        return f"{value:,}" if isinstance(value, int) else str(value)
    return f"{value:.4g}" if 1e-4 <= abs(value) < 1e4 or not value else f"{value:.3e}"


def _rows(result: Numbers) -> dict[str, dict[str, str]]:
    """Return every measure with its floors, label to key; what is a floor has no row."""
    rows = {}
    for name in result:
        if name not in _ABOUT:
            prefix, known = _split(name, _FLOORS)
            keys = {label: prefix + key for label, key in _FLOORS.get(known, {}).items()}
            rows[name] = {label: key for label, key in keys.items() if key in result}
    taken = {key for floors in rows.values() for key in floors.values()}
    return {name: floors for name, floors in rows.items() if name not in taken}


def _split(name: str, known: dict[str, dict[str, str]] | dict[str, str]) -> tuple[str, str]:
    """Return a head's prefix and the measure, such as ("label_", "accuracy")."""
    for end in sorted(known, key=len, reverse=True):
        if name == end or name.endswith(f"_{end}"):
            return name[: -len(end)], end
    return "", name


def _meaning(name: str) -> str:
    return _MEANING.get(_split(name, _MEANING)[1], "")
