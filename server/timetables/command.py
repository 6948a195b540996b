"""The subcommand `timetable` of the server: loads services from files, and writes them to a file.

It connects as the owner of the database, so it changes the services of every operator.
"""

from pathlib import Path
from typing import NoReturn

import psycopg

from busware.server.command_line import Parser, confirmed, on_terminal
from busware.server.embedded.data_folder import explained, find_urls
from busware.server.installation import subcommand
from busware.server.output import complain, show, show_done
from busware.server.settings import Settings
from busware.server.timetables import csv_files, export, yaml_files
from busware.server.timetables.changes import Changes, Loader, NotPossible
from busware.server.timetables.reader import READERS, read

FAULTS = 1  # exit status

_LOAD_HELP = """\
Load places and services from files; docs/timetables.md says how to write one. First it shows what would \
change. With --apply, or if you say so on a terminal, it changes that. The files are loaded together, \
completely or not at all. `{prog} export` writes the services to a file. \
Exit status: 0 done, or nothing to do; 1 faults, nothing is changed; 2 the command line is wrong; \
4 done, but the output could not be written."""
_EXPORT_HELP = """\
Write the services, and the places of their stops, to standard output, as a file that `{prog}` loads."""


def main(arguments: list[str]) -> None:
    """Run the subcommand. Raises SystemExit on an error."""
    run = _export if arguments[:1] == ["export"] else _load
    with explained(NotPossible):
        run(arguments, Settings.load())


def _export(arguments: list[str], settings: Settings) -> None:
    prog = subcommand("timetable")
    parser = Parser(prog=f"{prog} export", description=_EXPORT_HELP.format(prog=prog))
    parser.add_argument("--operator", metavar="NAME", help="only the services of this operator")
    parser.add_argument("--csv", action="store_true", help="write CSV, without the places; else YAML")
    options = parser.parse_args(arguments[1:])
    with psycopg.connect(find_urls(settings).owner) as conn:
        places, services = export.read(conn, options.operator)
    if options.operator and not services:
        raise SystemExit(f'busware: No service is operated by "{options.operator}".')
    show(csv_files.write(services) if options.csv else yaml_files.write(places, services), end="")


def _load(arguments: list[str], settings: Settings) -> None:
    prog = subcommand("timetable")
    parser = Parser(prog=prog, description=_LOAD_HELP.format(prog=prog))
    parser.add_argument("files", nargs="+", metavar="FILE", help=f"its name ends in {', '.join(READERS)}")
    parser.add_argument("--apply", action="store_true", help="change what is shown, and do not ask")
    parser.add_argument("--operator", metavar="NAME", help="refuse services of other operators")
    options = parser.parse_args(arguments)
    for file in options.files:
        if Path(file).suffix.lower() not in READERS:
            parser.error(f"{file} is not a timetable: its name must end in {', '.join(READERS)}.")
    try:
        content = read(options.files, settings.timetable_file_bytes)
    except OSError as error:
        parser.error(f"File {error.filename} cannot be read: {error.strerror}.")
    with psycopg.connect(find_urls(settings).owner, autocommit=True) as conn:
        loader = Loader(conn, content, options.operator, settings)
        changes = loader.load(plan=not options.apply)
        if changes.faults:
            _refuse(changes)
        elif options.apply and changes.texts:
            show_done(f"{changes}\nDone.", f"{changes}\nDone.")
        elif not changes.texts:
            show("Nothing to change.")
        elif on_terminal():
            _ask(loader, changes)
        else:
            show(f"{changes}\nNothing is changed yet. Add --apply to change it.")


def _ask(loader: Loader, changes: Changes) -> None:
    """Show the changes, and make them after a question. If they differ by then, show them and ask again."""
    while confirmed("Change this?", str(changes)):
        made = loader.load(plan=False, expected=changes)
        if made.faults:
            _refuse(made)
        if made == changes:
            show_done("Done.", "Done.")
            return
        changes = made
    show("Nothing is changed.")


def _refuse(changes: Changes) -> NoReturn:
    """Report the faults. Raises SystemExit."""
    complain(*map(str, changes.faults))
    count = len(changes.faults)
    complain(f"Nothing is changed: {count} {'fault' if count == 1 else 'faults'}.")
    raise SystemExit(FAULTS)
