"""Files of recordings: a single one, a folder of one kind, or a pattern."""

from collections import Counter
from fnmatch import fnmatch
from pathlib import Path

from ed_core import EdkitError, Findings
from ed_plugins.datasets._samples import walk
from ed_plugins.datasets.table.csv_layout import plain
from ed_plugins.datasets.table.csv_tables import sound_remedy

WAVES = (".wav", ".wave")
# The first kind present in a folder is read: a .txt may be a licence.
_KINDS: dict[str, tuple[str, ...]] = {
    "WAV": WAVES,
    "CSV": (".csv", ".tsv"),
    "Parquet": (".parquet",),
    "text": (".txt", ".dat"),
}


def find_recordings(path: Path, findings: Findings | None = None) -> list[Path]:
    """Return the file, the files of one kind in a folder and below, or those of a pattern.

    Args:
        path: a file, a folder, or a folder and a pattern of names such as `ecg/*.wav`.
        findings: receives what is left out.

    Raises:
        EdkitError: there is none.
    """
    if path.is_file():
        return [path]
    if path.is_dir():
        return _of_one_kind(path, [*walk(path)], Findings() if findings is None else findings)
    if path.parent.is_dir():
        pattern = plain(path.name)
        paths = [p for p in sorted(path.parent.iterdir()) if fnmatch(plain(p.name), pattern)]
        if paths := [p for p in paths if p.is_file()]:
            return paths
    what = "is no file that can be read" if path.exists() else "does not exist"
    raise EdkitError(
        f"{str(path)!r} {what}: expected a WAV or CSV file, a folder of them, or a pattern "
        "such as FOLDER/*.wav."
    )


def _of_one_kind(folder: Path, files: list[Path], findings: Findings) -> list[Path]:
    """Return the files of the first kind present; count the others by their ending."""
    good = [path for path in files if path.is_file() and not path.name.startswith(".")]
    of = {k: [p for p in good if p.suffix.lower() in ends] for k, ends in _KINDS.items()}
    kind = next((kind for kind, there in of.items() if there), "")
    if not kind:
        raise EdkitError(
            f"{str(folder)!r}: expected WAV or CSV files in this folder, found none"
            f"{' but ' + _endings(good, 5) if good else ''}"
            f"{sound_remedy(good[0]) if good else ''}."
        )
    read = set(of[kind])
    others = [path for path in files if path not in read]
    ending = next((there[0].suffix for k, there in of.items() if there and k != kind), "")
    option = f"path={folder}/*{ending}" if ending else ""
    below = sum(path.parent != folder for path in read)
    if below:
        above = f"path={folder}/*{of[kind][0].suffix}" if below < len(read) else ""
        text = f"{len(read):,} {kind}, {f'{below:,}' if above else 'all'} of them in folders below"
        findings.infer("files", text, above)
    findings.leave_out("files", len(others), f"{_endings(others, 4)} beside {kind}", option)
    return of[kind]


def _endings(files: list[Path], most: int) -> str:
    """Return the number of files with each of the commonest endings."""
    counts = Counter(map(_ending, files)).most_common()
    named = ", ".join(f"{count:,} {ending}" for ending, count in counts[:most])
    return named + (", ..." if len(counts) > most else "")


def _ending(path: Path) -> str:
    if path.name.startswith("."):
        return "hidden"
    return path.suffix.lower() or path.name if path.is_file() else "broken or special"
