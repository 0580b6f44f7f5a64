"""The segments of a run, held open as files come, go and are replaced."""

from pathlib import Path

from ed_core.recording.checked_file import DamagedError
from ed_core.recording.preflight import preflight
from ed_core.recording.segment import Segment, open_segment


class SegmentFiles:
    """Opens the segments of a run, or one segment file alone; what was read stays readable.

    Args:
        path: a run folder, or a segment file.

    Attributes:
        segments: those that could be opened, in their order.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.segments: list[Segment] = []
        self._refused: dict[str, str] = {}

    def refresh(self, live: bool) -> str:
        """Open what is new, and see what the newest segment has gained.

        Args:
            live: whether a process writes here now.

        Returns:
            What is wrong with the files, in one line, or "".
        """
        newest = max(len(self.segments) - 1, 0)
        problem = self._open_new(live)
        # Only the newest one grows; that which was it may have grown before another came.
        for segment in self.segments[newest:]:
            try:
                segment.refresh(live and segment is self.segments[-1])
            except DamagedError as error:
                problem = str(error)
        return problem or next((s.problem for s in self.segments if s.problem), "")

    def close(self) -> None:
        """Let the files go."""
        for segment in self.segments:
            segment.close()
        self.segments = []

    def _files(self) -> list[Path]:
        if self._path.is_file():
            return [self._path]
        return sorted((self._path / "recording").glob("[0-9][0-9][0-9][0-9].h5"))

    def _open_new(self, live: bool) -> str:
        files = self._files()
        problem = ""
        if self.segments and not (set(files) >= {s.path for s in self.segments}):
            return f"{self.segments[-1].path} was deleted; showing what had been read"
        if any(s.inode != _inode(s.path) for s in self.segments):
            self.close()  # replaced by another file of the same name
        known = {segment.path for segment in self.segments}
        for file in files:
            if file not in known:
                try:
                    problem = self._open(file, live and file == files[-1]) or problem
                except FileNotFoundError:
                    problem = f"{file.name} was deleted"
        self.segments.sort(key=lambda segment: segment.path)
        return problem

    def _open(self, file: Path, growing: bool) -> str:
        """Open a segment; returns why it cannot be. What was refused is not tried again."""
        stamp = f"{file.stat().st_mtime_ns}/{file.stat().st_size}"
        if self._refused.get(file.name, "").startswith(f"{stamp} "):
            return self._refused[file.name].removeprefix(f"{stamp} ")
        try:
            if not growing:
                preflight(file)
            self.segments.append(open_segment(file, growing))
        except DamagedError as error:
            self._refused[file.name] = f"{stamp} {error}"
            return str(error)
        return ""


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return 0
