"""The segments of a run, held open as files come, go and are replaced."""

from pathlib import Path

from ed_core.recording.checked_file import DamagedError
from ed_core.recording.preflight import preflight
from ed_core.recording.segment import Segment, open_segment


class SegmentFiles:
    """Opens the segments of a run, or one segment file alone; what was read stays readable.

    Args:
        path: a run folder, or a segment file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held: dict[Path, Segment] = {}  # others may have opened one by another path
        self._refused: dict[str, str] = {}

    @property
    def segments(self) -> list[Segment]:
        """Those that could be opened, in their order."""
        return [self._held[path] for path in sorted(self._held)]

    def refresh(self, live: bool) -> str:
        """Open what is new, and see what the newest segment has gained.

        Args:
            live: whether a process writes here now.

        Returns:
            What is wrong with the files, in one line, or "".
        """
        newest = max(len(self._held) - 1, 0)
        problem = self._open_new(live)
        segments = self.segments
        # Only the newest one grows; that which was it may have grown before another came.
        for segment in segments[newest:]:
            try:
                segment.refresh(live and segment is segments[-1])
            except DamagedError as error:
                problem = str(error)
        return problem or next((s.problem for s in segments if s.problem), "")

    def close(self) -> None:
        """Let the files go."""
        for segment in self._held.values():
            segment.close()
        self._held = {}

    def _files(self) -> list[Path]:
        if self._path.is_file():
            return [self._path]
        return sorted((self._path / "recording").glob("[0-9][0-9][0-9][0-9].h5"))

    def _open_new(self, live: bool) -> str:
        files = self._files()
        problem = ""
        if gone := sorted(set(self._held) - set(files)):
            return f"{gone[-1]} was deleted; showing what had been read"
        if any(segment.inode != _inode(path) for path, segment in self._held.items()):
            self.close()  # replaced by another file of the same name
        for file in files:
            if file not in self._held:
                try:
                    problem = self._open(file, live and file == files[-1]) or problem
                except FileNotFoundError:
                    problem = f"{file.name} was deleted"
        return problem

    def _open(self, file: Path, growing: bool) -> str:
        """Open a segment; returns why it cannot be. What was refused is not tried again."""
        stamp = f"{file.stat().st_mtime_ns}/{file.stat().st_size}"
        if self._refused.get(file.name, "").startswith(f"{stamp} "):
            return self._refused[file.name].removeprefix(f"{stamp} ")
        try:
            if not growing:
                preflight(file)
            self._held[file] = open_segment(file, growing)
        except DamagedError as error:
            self._refused[file.name] = f"{stamp} {error}"
            return str(error)
        return ""


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return 0
