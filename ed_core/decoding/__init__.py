"""Decoding process of the window, and the protocol between the two."""
