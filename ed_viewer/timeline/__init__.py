"""The timeline and its playback controls."""
