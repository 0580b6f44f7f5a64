"""The curves of the losses below the stage."""
