"""Steering of a training: pause, stop, save, learning rate and weights."""
