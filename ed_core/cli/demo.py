"""`edkit demo`: train the default model on the embedded digits, with the window open."""

import click

from ed_core.cli.display import has_display
from ed_core.cli.start import early_options, short, startup
from ed_core.cli.train import console, open_window, say, stoppable
from ed_core.recording import RunFolder

MODEL, DATA = "conv_vae", "digits"


@click.command()
@click.option("--epochs", default=30, show_default=True, help="Passes over the data.")
@click.option("--out", default="runs", show_default=True, help="Folder for the new run folder.")
@click.option("--no-window", is_flag=True, help="Write the figures instead.")
@early_options
def demo(epochs: int, out: str, no_window: bool) -> None:
    """Train an auto-encoder on handwritten digits and watch it learn.

    Without a display it writes the figures and prints where.
    """
    console.print("Starting Keras ...")
    with_window = has_display() and not no_window
    backend = startup.keras(MODEL, window=with_window)
    from ed_core.cli.progress import Progress
    from ed_core.figures.draw import draw_figures
    from ed_core.training.train import train

    console.print(f"Training [bold]{MODEL}[/] on {DATA} with {backend}, {epochs} epochs")
    windows = []
    folders: list[RunFolder] = []
    progress = Progress(console)

    def started(folder: RunFolder) -> None:
        folders.append(folder)
        progress.plan(folder.read())
        progress.keep(folder)
        if with_window:
            console.print("Opening the window")
            windows.append(open_window(folder.path))

    with stoppable(folders), progress:
        run = train(
            MODEL, DATA, epochs=epochs, batch_size=32, every=15, out=out,
            callbacks=[progress.callback], started=started, noted=progress.note,
        )  # fmt: skip
    say(f"Trained in {progress.seconds:.0f} s: {short(run.path)}")
    if windows:
        if windows[0].poll() is None:
            say("The window shows the trained model; close it to end the demo.")
        if windows[0].wait() == 0:
            return
        say("The window could not be opened, see above: drawing the figures instead")
    else:
        say("No display: drawing the figures instead")
    for path in draw_figures(run):
        print(short(path))
    say(f"The figures are in {short(run.path / 'figures')}")
