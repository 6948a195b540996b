"""Takes pictures of the terminal client, as SVG.

A client runs in tmux. In each scene, the script types a text, waits until the screen shows another text, and
may take a picture. tmux returns the content of the screen, and rich draws it.
"""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

from rich.ansi import AnsiDecoder
from rich.console import Console

from scripts.gallery.server import BUS, PICTURES, PROJECT, RunningServer

COLUMNS, ROWS = 80, 24
WAIT_SECONDS = 60.0  # for a text to appear
POLL_SECONDS = 0.2  # between two reads of the screen
REDRAW_SECONDS = 0.7  # until the rest of the screen is drawn too, after the text has appeared

# The text to type, the text to wait for, and the name of the picture, if one is taken.
SCENES = [
    ("bus\r", "From and to", ""),
    ("bengaluru coimbatore\r", "Date of journey", ""),
    ("\r", "Bus (", "buses"),
    (f"{BUS}\r", "Seat numbers", ""),
    ("11 12", "[12", "seats"),
    ("\r", "Phone number", ""),
    ("98450 12345, Asha Rao, Ravi Rao\r", "Confirm", "held"),
    ("yes\r", "Keep the reference", "ticket"),
]


def take(server: RunningServer) -> Iterator[Path]:
    """Take all pictures of the terminal; yields their files."""
    with terminal(f"{sys.executable} -m busware 127.0.0.1 {server.port}") as tmux:
        wait_for(tmux, "What would you like?")
        for typed, awaited, name in SCENES:
            run_tmux(tmux, "send-keys", "-l", typed)
            screen = wait_for(tmux, awaited)
            if name:
                picture = PICTURES / f"client-{name}.svg"
                picture.write_text(draw(screen))
                yield picture


@contextmanager
def terminal(command: str) -> Iterator[list[str]]:
    """Run a command in a new tmux server; yields the start of its tmux commands."""
    tmux = ["tmux", "-L", f"busware-pictures-{time.time_ns()}"]
    run_tmux(tmux, "-f", "/dev/null", "new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS), command)
    try:
        yield tmux
    finally:
        run_tmux(tmux, "kill-server")


def wait_for(tmux: list[str], text: str) -> str:
    """Wait until the text is on the screen; return the screen with its colours."""
    deadline = time.monotonic() + WAIT_SECONDS
    while text not in run_tmux(tmux, "capture-pane", "-p"):
        if time.monotonic() > deadline:
            raise SystemExit(f"{text!r} did not appear:\n{run_tmux(tmux, 'capture-pane', '-p')}")
        time.sleep(POLL_SECONDS)
    time.sleep(REDRAW_SECONDS)
    return run_tmux(tmux, "capture-pane", "-p", "-e")


def run_tmux(tmux: list[str], *arguments: str) -> str:
    """Run a tmux command; return its output."""
    return subprocess.run([*tmux, *arguments], cwd=PROJECT, capture_output=True, text=True, check=True).stdout


def draw(screen: str) -> str:
    """The screen as SVG, without fonts that a reader would have to download."""
    console = Console(
        record=True, width=COLUMNS, file=StringIO(), force_terminal=True, color_system="truecolor"
    )
    for line in AnsiDecoder().decode(screen.rstrip("\n")):
        console.print(line, no_wrap=True, crop=True)
    svg = console.export_svg(title="scripts/client", unique_id="busware")
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
