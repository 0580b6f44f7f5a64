"""The part of the window that steers a training: pause, stop, save, learning rate and weights."""
