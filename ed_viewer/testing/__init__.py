"""A run that was never trained, with every kind of probe: for a first look, and for tests."""

from ed_viewer.testing.synthetic_run import CLASSES as CLASSES
from ed_viewer.testing.synthetic_run import Example as Example
from ed_viewer.testing.synthetic_run import write_example as write_example
