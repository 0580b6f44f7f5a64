"""Tabs of panels of one run or two."""
