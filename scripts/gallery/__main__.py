"""Pictures of the terminal client, as SVG, for the README: scripts/pictures.

A real server on a fresh database, a real client in tmux; a scene is what is typed, what is waited for,
and the picture that is taken then. tmux knows what stands on the screen, and rich draws it.
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
LOOK_SECONDS = 0.2  # between two looks at the screen
SETTLE_SECONDS = 0.7  # after it has appeared, for the rest of the screen
BUS = 309  # a sleeper of two decks, from Bengaluru to Kochi by Coimbatore

# What is typed, what is waited for then, and the name of the picture that is taken.
SCENES = [
    ("bus\r", "Reservation or", ""),
    ("reservation\r", "Date of journey", ""),
    ("tomorrow\r", "SLEEPER", ""),
    ("any\r", "AC, NON_AC", ""),
    ("any\r", "Source:", ""),
    ("bengaluru\r", "Destination:", ""),
    ("coimbatore\r", "Bus id:", "buses"),
    (f"{BUS}\r", "Seat numbers", ""),
    ("11 12", "[12", "seats"),
    ("\r", "passenger 1", ""),
    ("Asha Rao\r", "passenger 2", ""),
    ("Ravi Rao\r", "Phone number:", ""),
    ("98450 12345\r", "Confirm", "held"),
    ("yes\r", "Keep the reference", "ticket"),
]


def main() -> None:
    """Take all the pictures."""
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as port:
        others_book(port)
        with terminal(f"{sys.executable} -m busware 127.0.0.1 {port}") as tmux:
            wait_for(tmux, "What would you like?")
            for typed, awaited, name in SCENES:
                run(tmux, "send-keys", "-l", typed)
                screen = wait_for(tmux, awaited)
                if name:
                    picture = PROJECT / "docs" / f"client-{name}.svg"
                    picture.write_text(draw(screen))
                    print(picture)


@contextmanager
def served(folder: Path) -> Iterator[int]:
    """A server with the timetables, on a database in that folder."""
    folder.chmod(0o755)
    command = [sys.executable, "-m", "busware.server", "--port", "0", "--data", str(folder / "data")]
    server = subprocess.Popen(
        command, cwd=PROJECT, stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL
    )
    try:
        said = next(line for line in server.stdout or () if "serves on" in line)
        yield int(re.search(r"serves on \S+:(\d+)", said)[1])  # type: ignore[index]
    finally:
        server.terminate()
        server.wait()


def others_book(port: int) -> None:
    """Seats that are taken, and one that somebody is deciding about."""
    with connect("127.0.0.1", port) as busware:
        tomorrow = busware.today() + timedelta(days=1)
        for seats in ([4, 7], [14, 15], [2], [21], [25], [26, 27]):
            busware.book(BUS, tomorrow, "Bengaluru", "Coimbatore", seats=seats, phone="98800 99000")
        busware.hold(BUS, tomorrow, "Bengaluru", "Coimbatore", seats=[28], phone="98800 99000")


@contextmanager
def terminal(command: str) -> Iterator[list[str]]:
    """A tmux of its own with the command in it; what to begin its commands with."""
    tmux = ["tmux", "-L", f"busware-pictures-{time.time_ns()}"]
    run(tmux, "-f", "/dev/null", "new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS), command)
    try:
        yield tmux
    finally:
        run(tmux, "kill-server")


def wait_for(tmux: list[str], text: str) -> str:
    """The screen, with its colours, once the text stands on it."""
    give_up_at = time.monotonic() + WAIT_SECONDS
    while text not in run(tmux, "capture-pane", "-p"):
        if time.monotonic() > give_up_at:
            raise SystemExit(f"{text!r} did not appear:\n{run(tmux, 'capture-pane', '-p')}")
        time.sleep(LOOK_SECONDS)
    time.sleep(SETTLE_SECONDS)
    return run(tmux, "capture-pane", "-p", "-e")


def run(tmux: list[str], *arguments: str) -> str:
    """What a command of tmux answers."""
    return subprocess.run([*tmux, *arguments], cwd=PROJECT, capture_output=True, text=True, check=True).stdout


def draw(screen: str) -> str:
    """The screen as SVG, with no font that a reader would have to fetch."""
    console = Console(
        record=True, width=COLUMNS, file=StringIO(), force_terminal=True, color_system="truecolor"
    )
    for line in AnsiDecoder().decode(screen.rstrip("\n")):
        console.print(line, no_wrap=True, crop=True)
    svg = console.export_svg(title="scripts/client", unique_id="busware")
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)


if __name__ == "__main__":
    main()
