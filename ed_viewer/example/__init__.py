"""A run that was never trained, with every kind of probe: for a first look, and for tests."""

from ed_viewer.example.run import CLASSES as CLASSES
from ed_viewer.example.run import Example as Example
from ed_viewer.example.run import write_example as write_example
