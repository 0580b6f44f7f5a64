"""Panel of class predictions: a confusion matrix, and the samples behind its cells."""

import numpy as np
from PySide6.QtWidgets import QBoxLayout, QLabel, QVBoxLayout, QWidget

from ed_core.confusion import confusion, nested_groups
from ed_viewer.panels.base import Panel, panel
from ed_viewer.reading.messages import Arrays
from ed_viewer.style.palette import grey_table
from ed_viewer.style.pixels import as_images, image_levels, pixels
from ed_viewer.style.text import counted, grouped, muted, plain, signed
from ed_viewer.widgets.confusion_matrix import ConfusionMatrix, Counts
from ed_viewer.widgets.controls import Toggle
from ed_viewer.widgets.tiles.tile_set import TileRow, TileSet, TileStyle
from ed_viewer.widgets.tiles.tiles import Tiles

_SHOWN = 24  # samples beside the matrix
_WORDS = "Click a cell to see its samples; arrow keys: next; Esc: back"
_ROOMY, _HIGH = 1.5, 320  # width over height, and pixels: from here there is room beside it


@panel("predictions/probabilities")
class ClassesPanel(Panel):
    """Confusion matrix, in groups of a coarser class if there is one, with samples beside it.

    Attributes:
        matrix: the counts.
        examples: samples beside it: `about` says which, `tiles` are their pictures.
        numbers: the toggle from percentages to counts.
    """

    tab = "Classes"
    telling = 3
    no_difference = ""
    kept = ("probabilities",)

    def build(self) -> None:
        """The matrix, and beside it samples: the surest mistakes, or those of a cell."""
        options = self.source.probe.options
        self._target = str(options.get("target") or "")
        self._output = str(options.get("output") or self._target)
        self.set_heading(f"Classes · {self._output}")
        self.numbers = Toggle("counts", "accent", self.source.theme)
        self.numbers.setToolTip("Counts instead of row percentages")
        self.numbers.setAccessibleName("Counts instead of percentages")
        self.numbers.toggled.connect(self._draw)
        self.tools.addWidget(self.numbers)
        self.matrix = ConfusionMatrix(self.source.theme)
        self.matrix.setToolTip(_WORDS)
        self.matrix.picked.connect(self._on_picked)
        self.tiles = Tiles(self.source.theme)
        self.tiles.resized.connect(self._draw)
        self.about = muted(plain(QLabel()))
        self.about.setWordWrap(True)  # on one line, it would push the matrix aside
        self.examples = QWidget()
        column = QVBoxLayout(self.examples)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.about)
        column.addWidget(self.tiles, 1)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._row.setSpacing(12)
        self._row.addWidget(self.matrix, 1)
        self._row.addWidget(self.examples, 1)
        self.body.addLayout(self._row, 1)
        self._images = self._find_images()
        self._likely: list[np.ndarray] = []
        self._order = np.zeros(0, np.int64)

    def resizeEvent(self, event: object) -> None:  # noqa: N802, D102
        self._make_room()

    def _on_picked(self) -> None:
        self._make_room()
        self._draw()

    def _make_room(self) -> None:
        """Show samples if there is room for them, and always those of a picked cell.

        Where the panel is high, they stand below the matrix.
        """
        roomy = self.width() > _ROOMY * self.height() and self.height() >= _HIGH
        visible = self._images is not None and (roomy or self.matrix.pick is not None)
        self._row.setStretch(0, 1 if roomy else 2)
        way = QBoxLayout.Direction
        self._row.setDirection(way.LeftToRight if self.width() > self.height() else way.TopToBottom)
        if visible == self.examples.isHidden():
            self.examples.setVisible(visible)
            self._draw()  # with the samples, or without

    def show_frame(self, arrays: Arrays) -> None:
        """Draw `probabilities` (samples, classes), of a difference those of both runs."""
        sides = ("A/", "B/") if self.source.signed else ("",)
        self._likely = [np.asarray(arrays[f"{s}probabilities"], np.float32) for s in sides]
        self._draw()

    def restyle(self) -> None:
        """Draw on the new page colour."""
        super().restyle()
        self.matrix.update()

    def _draw(self) -> None:
        if not self._likely:
            return
        *before, likely = self._likely
        truth = self.source.truth(self._target, (len(likely),))
        if truth is None:
            self.set_caption("no ground truth recorded")
            return
        truth = np.nan_to_num(np.asarray(truth, np.float64), nan=-1).astype(np.int64)
        classes = likely.shape[1]
        counts, *old = (
            confusion(truth, _predicted_classes(some), classes) for some in (likely, *before)
        )
        coarse, group, names = self._groups(truth, classes)
        self._order = np.argsort(group, kind="stable")
        starts = tuple(np.flatnonzero(np.diff(group[self._order], prepend=-1)).tolist())
        # A model may have fewer outputs than there are classes.
        all_names = self.source.names(self._target, max(classes, int(truth.max(initial=0)) + 1))
        ordered, *of_a = (some[np.ix_(self._order, self._order)] for some in (counts, *old))
        class_names = tuple(all_names[n] for n in self._order)
        numbers = self.numbers.isChecked()
        self.matrix.show_counts(
            Counts(ordered, class_names, starts if names else (), names, numbers, *of_a)
        )
        seen = int(((truth >= 0) & (_predicted_classes(likely) >= 0)).sum())
        groups = {"accuracy": None} | ({coarse: group} if names else {})
        caption = _describe(groups, seen, counts, *old)
        none, lost = (
            int((truth < 0).sum()),
            int(((truth >= 0) & (_predicted_classes(likely) < 0)).sum()),
        )
        caption += [f"{grouped(none)} without label left out"] if none else []
        caption += [f"{grouped(lost)} not finite left out"] if lost else []
        self.set_caption(" · ".join(caption))
        self._show_samples(truth, likely, all_names)

    def _groups(self, truth: np.ndarray, classes: int) -> tuple[str, np.ndarray, tuple[str, ...]]:
        """Return the coarser field, the group of each class (classes,), and the groups' names.

        The names are () where there is no such field.
        """
        for name, facts in self.source.fields.items():
            coarse = self.source.truth(name, truth.shape)
            if name == self._target or facts.get("kind") != "class" or coarse is None:
                continue
            group = nested_groups(truth, coarse, classes)
            if group is not None:
                names = self.source.names(name, int(group.max()) + 1)
                return name, group, tuple(names[n] for n in np.unique(group))
        return "", np.zeros(classes, np.int64), ()

    def _find_images(self) -> np.ndarray | None:
        for name, facts in self.source.fields.items():
            if facts.get("kind") == "image" and name in self.source.reference:
                return self.source.reference[name]
        return None

    def _room(self, labels: list[str]) -> int:
        """Return the number of samples with room for their names above them."""
        metrics, size = self.fontMetrics(), self.tiles.size()
        wide = max((metrics.horizontalAdvance(label) for label in labels), default=0) + 8
        high = wide + metrics.height()
        return min(max(size.width() // wide, 1) * max(size.height() // high, 1), _SHOWN)

    def _show_samples(self, truth: np.ndarray, likely: np.ndarray, names: tuple[str, ...]) -> None:
        """Show the samples of the picked cell, or the mistakes, the surest first."""
        if self._images is None or self.examples.isHidden():
            return
        predicted = _predicted_classes(likely)
        chosen, about = self._chosen_samples(truth, predicted, names)
        rows = np.flatnonzero(chosen)
        rows = rows[np.argsort(-likely.max(axis=1)[rows], kind="stable")]
        room = self._room([f"{names[truth[r]]} → {names[predicted[r]]}" for r in rows])
        count = f"{room} of {grouped(len(rows))}" if room < len(rows) else grouped(len(rows))
        self.about.setText(f"{about} · {count}")
        rows = rows[:room]
        images = as_images(self._images[rows]) if len(rows) else np.zeros((0, 1, 1, 1), "f4")
        levels = image_levels(as_images(self._images[: len(likely)]))
        tile_row = TileRow(pixels(images, levels, grey_table()), "", images)
        labels = tuple(f"{names[truth[r]]} → {names[predicted[r]]}" for r in rows)
        style = TileStyle(wrap=True, gap=8)
        self.tiles.show_tiles(TileSet((tile_row,) if len(rows) else (), labels, style=style))

    def _chosen_samples(
        self, truth: np.ndarray, predicted: np.ndarray, names: tuple[str, ...]
    ) -> tuple[np.ndarray, str]:
        """Return the samples shown beside the matrix, and their caption."""
        if self.matrix.pick is not None:
            row, column = (int(self._order[n]) for n in self.matrix.pick)
            caption = f"true {names[row]}, predicted {names[column]}"
            return (truth == row) & (predicted == column), caption
        wrong = (truth >= 0) & (predicted >= 0) & (truth != predicted)
        if self.source.signed:
            right = truth == _predicted_classes(self._likely[0])
            return wrong & right, "right in A, wrong in B, true → predicted"
        return wrong, "most confident mistakes, true → predicted"


def _describe(
    groups: dict[str, np.ndarray | None],
    seen: int,
    counts: np.ndarray,
    before: np.ndarray | None = None,
) -> list[str]:
    """Return the accuracy in percent, or its change from another run, in words.

    Args:
        groups: pairs of the name of a level and the group (classes,) of each class; None for the
            classes themselves.
        seen: samples.
        counts: (classes, classes) of them.
        before: those of another run.
    """
    parts = []
    for name, group in groups.items():
        of = np.arange(len(counts)) if group is None else group
        right = of[:, None] == of[None, :]
        share = 100 * counts[right].sum() / max(seen, 1)
        if before is None:
            samples = f" ({counted(seen, 'sample')})" if group is None else ""
            parts.append(f"{name} {share:.1f} %{samples}")
        else:
            more = share - 100 * before[right].sum() / max(seen, 1)
            parts.append(signed(f"{name} {more:+.1f} points"))
    return parts


def _predicted_classes(likely: np.ndarray) -> np.ndarray:
    """Return the likeliest class of (samples, classes), -1 if the numbers are not finite."""
    finite_rows = np.isfinite(likely).all(axis=1)
    return np.where(finite_rows, np.nan_to_num(likely).argmax(axis=1), -1)
