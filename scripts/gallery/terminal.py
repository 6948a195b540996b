"""Takes pictures of the terminal client, as SVG, for the docs: scripts/pictures.

It starts a server with a new database, and a client in tmux. It types the text of each scene, waits for a
text on the screen, and takes a picture. tmux returns the content of the screen, and rich draws it.
"""

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from pathlib import Path

from rich.ansi import AnsiDecoder
from rich.console import Console

from busware import connect

PROJECT = Path(__file__).parent.parent.parent
COLUMNS, ROWS = 80, 24
WAIT_SECONDS = 60.0  # for a text to appear
POLL_SECONDS = 0.2  # between two reads of the screen
REDRAW_SECONDS = 0.7  # until the rest of the screen is drawn too, after the text has appeared
BUS = 309  # a sleeper with two decks, from Bengaluru to Kochi by way of Coimbatore

# The text to type, the text to wait for, and the name of the picture, if one is taken.
SCENES = [
    ("bus\r", "From and to", ""),
    ("bengaluru coimbatore\r", "Date of journey", ""),
    ("\r", "Bus (", "buses"),
    (f"{BUS}\r", "Seats (", ""),
    ("11 12", "[12", "seats"),
    ("\r", "Phone number", ""),
    ("98450 12345, Asha Rao, Ravi Rao\r", "Confirm", "held"),
    ("yes\r", "Keep the reference", "ticket"),
]


def main() -> None:
    """Take all pictures."""
    with tempfile.TemporaryDirectory() as folder, running_server(Path(folder)) as port:
        book_for_others(port)
        with terminal(f"{sys.executable} -m busware 127.0.0.1 {port}") as tmux:
            wait_for(tmux, "What would you like?")
            for typed, awaited, name in SCENES:
                run_tmux(tmux, "send-keys", "-l", typed)
                screen = wait_for(tmux, awaited)
                if name:
                    picture = PROJECT / "docs" / f"client-{name}.svg"
                    picture.write_text(draw(screen))
                    print(picture)


@contextmanager
def running_server(folder: Path) -> Iterator[int]:
    """A server with the timetables and a database in this folder; yields its port."""
    folder.chmod(0o755)
    command = [sys.executable, "-m", "busware.server", "--port", "0", "--data", str(folder / "data")]
    server = subprocess.Popen(
        command, cwd=PROJECT, stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL
    )
    try:
        line = next(line for line in server.stdout or () if "serves on" in line)
        yield int(re.search(r"serves on \S+:(\d+)", line)[1])  # type: ignore[index]
    finally:
        server.terminate()
        server.wait()


def book_for_others(port: int) -> None:
    """Book some seats, and hold one."""
    with connect("127.0.0.1", port) as busware:
        tomorrow = busware.today() + timedelta(days=1)
        for seats in ([4, 7], [14, 15], [2], [21], [25], [26, 27]):
            busware.book(BUS, tomorrow, "Bengaluru", "Coimbatore", seats=seats, phone="98800 99000")
        busware.hold(BUS, tomorrow, "Bengaluru", "Coimbatore", seats=[28], phone="98800 99000")


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


if __name__ == "__main__":
    main()
