"""Run folder and recording: written by one trainer, read by any other process.

Nothing here imports Keras or Qt.
"""

from ed_core.errors import EdkitError as EdkitError
from ed_core.recording.checked_file import DamagedError as DamagedError
from ed_core.recording.folder import RunFolder as RunFolder
from ed_core.recording.folder import find_runs as find_runs
from ed_core.recording.folder import written_whole as written_whole
from ed_core.recording.layout import ArrayInfo as ArrayInfo
from ed_core.recording.layout import Event as Event
from ed_core.recording.layout import Header as Header
from ed_core.recording.layout import ProbeInfo as ProbeInfo
from ed_core.recording.reader import Recording as Recording
from ed_core.recording.writer import RecordingWriter as RecordingWriter
