"""Walk of a folder: its image files at any depth, in the order of their paths."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from ed_plugins.datasets.folder.pictures import ENDINGS, HEIF, can_read_heif, register_heif

HEIC_ADVICE = "pip install 'edkit[heic]' to read HEIC"
_THREADS = min(8, os.cpu_count() or 1)
_DEEPEST = 32  # folders in folders

Item = TypeVar("Item")
Result = TypeVar("Result")


def image_endings() -> set[str]:
    """Return the endings of files that are read here, in small letters."""
    return ENDINGS | HEIF if can_read_heif() else ENDINGS


def kind_of_other(path: str, endings: set[str]) -> str:
    """Return the kind of a file that is not read; "" for an image."""
    name = os.path.basename(path)
    if name.startswith("."):
        return "hidden"
    if os.path.isdir(path):
        return "folders"
    if not os.path.isfile(path):  # opening a FIFO would hang
        return "pipes or broken links"
    ending = os.path.splitext(name)[1].lower().rstrip(".")
    if ending in HEIF and ending in endings:
        register_heif()
    return "" if ending in endings else ending or "without ending"


def list_images(folder: Path, others: Counter[str]) -> Iterator[str]:
    """Yield the paths of image files that lie in a folder itself, in the order of their names."""
    endings = image_endings()
    for name in sorted(os.listdir(folder)):
        path = _inside(str(folder), name)
        kind = kind_of_other(path, endings)
        if kind:
            others[kind] += 1
        else:
            yield path


def walk_images(folder: Path, others: Counter[str]) -> Iterator[str]:
    """Yield the paths of image files in a folder and below it, each folder by its names in order.

    Args:
        folder: links to folders are followed, each folder is entered once.
        others: receives the counts of files that are not read, by ending or kind.
    """
    yield from _walked(str(folder), others, image_endings(), set(), 0)


def _walked(
    folder: str, others: Counter[str], endings: set[str], entered: set[Any], depth: int
) -> Iterator[str]:
    facts = os.stat(folder)
    if (facts.st_dev, facts.st_ino) in entered or depth > _DEEPEST:
        return
    entered.add((facts.st_dev, facts.st_ino))
    for name in sorted(os.listdir(folder)):
        path = _inside(folder, name)
        kind = kind_of_other(path, endings)
        if not kind:
            yield path
        elif kind == "folders" and os.access(path, os.R_OK | os.X_OK):
            yield from _walked(path, others, endings, entered, depth + 1)
        else:
            others[kind] += 1


def below(path: str, root: Path) -> str:
    """Return the path of a file below a root, with `/` between folders; elsewhere its name."""
    start = _inside(str(root), "")
    return path[len(start) :].replace(os.sep, "/") if path.startswith(start) else Path(path).name


def _inside(folder: str, name: str) -> str:
    """Return the path of what is in a folder, as pathlib writes it: `a.png`, not `./a.png`."""
    return name if folder == os.curdir else os.path.join(folder, name)


def counted(kinds: Counter[str]) -> str:
    """Return counts in words, the most frequent first."""
    return few([f"{count:,} {kind}" for kind, count in kinds.most_common()])


def few(names: Sequence[str]) -> str:
    """Return the first names of many, joined by commas."""
    return ", ".join(names[:6]) + ", ..." * (len(names) > 6)


def in_threads(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Return the results of a function for some items, in order: decoders free the interpreter.

    Raises:
        Exception: that of the first item of which the function fails.
    """
    step = -(-len(items) // (4 * _THREADS))  # a thread takes several, since a turn costs time
    if len(items) < 2 or _THREADS == 1:
        return [function(item) for item in items]

    def of_piece(first: int) -> list[Result]:
        return [function(item) for item in items[first : first + step]]

    with ThreadPoolExecutor(min(_THREADS, len(items))) as pool:
        pieces = [pool.submit(of_piece, first) for first in range(0, len(items), step)]
        try:
            return [result for piece in pieces for result in piece.result()]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
