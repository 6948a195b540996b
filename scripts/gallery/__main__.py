"""Takes the pictures of the terminal client and of the web pages: scripts/pictures."""

import argparse

from scripts.gallery import pages, terminal
from scripts.gallery.server import running_server

_PICTURES = {"terminal": terminal.take, "pages": pages.take}


def main() -> None:
    """Take the chosen pictures, or all."""
    parser = argparse.ArgumentParser(prog="scripts/pictures", description="Take the pictures in docs/ again.")
    parser.add_argument(
        "name", nargs="?", choices=list(_PICTURES), help="which pictures to take; without it, all"
    )
    name = parser.parse_args().name
    for take in [_PICTURES[name]] if name else _PICTURES.values():
        with running_server() as server:
            for picture in take(server):
                print(picture)


if __name__ == "__main__":
    main()
