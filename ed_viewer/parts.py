"""The features that every window has, beside the stage."""

from ed_viewer.by_hand import ByHand
from ed_viewer.command_palette import PalettePart
from ed_viewer.compare import Compare
from ed_viewer.compare_keeper import CompareKeeper
from ed_viewer.curves_part import CurvesPart
from ed_viewer.demo_start import DemoStart
from ed_viewer.export.part import ExportPart
from ed_viewer.focus_ring import FocusRing
from ed_viewer.lag import Lag
from ed_viewer.layout_keeper import LayoutKeeper
from ed_viewer.new_run import NewRun
from ed_viewer.part import Part
from ed_viewer.run_sheet import RunSheetPart
from ed_viewer.steer.part import Steer
from ed_viewer.timeline_part import TimelinePart
from ed_viewer.training_log import TrainingLog
from ed_viewer.view_history import ViewHistory
from ed_viewer.view_tools import ViewTools

PARTS: tuple[type[Part], ...] = (
    TrainingLog,
    NewRun,
    Steer,
    RunSheetPart,
    Compare,
    CompareKeeper,
    ByHand,
    TimelinePart,
    CurvesPart,
    ExportPart,
    ViewTools,
    PalettePart,
    ViewHistory,
    LayoutKeeper,
    FocusRing,
    DemoStart,
    Lag,
)
"""In the order of their tools."""
