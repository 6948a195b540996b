"""The subcommand `timetable` of the server: `timetable export` writes services to a file.

It connects as the owner of the database.
"""

import psycopg

from busware.server.command_line import Parser
from busware.server.embedded.data_folder import PostgresError, find_urls
from busware.server.installation import subcommand
from busware.server.output import show
from busware.server.settings import Settings
from busware.server.timetables import csv_files, export, yaml_files

_HELP = """\
Timetables in YAML or CSV files; docs/timetables.md explains them."""
_EXPORT_HELP = """\
Write the services, with the places of their stops, to standard output."""


def main(arguments: list[str]) -> None:
    """Run the subcommand. Raises SystemExit on an error."""
    parser = Parser(prog=subcommand("timetable"), description=_HELP)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    exporting = commands.add_parser("export", help="write services to a file", description=_EXPORT_HELP)
    exporting.add_argument("--operator", metavar="NAME", help="only the services of this operator")
    exporting.add_argument("--csv", action="store_true", help="write CSV, without the places; else YAML")
    options = parser.parse_args(arguments)
    try:
        with psycopg.connect(find_urls(Settings.load()).owner) as conn:
            places, services = export.read(conn, options.operator)
    except PostgresError as error:
        raise SystemExit(f"busware: {error}") from None
    except psycopg.Error as error:
        raise SystemExit(f"busware: the database: {str(error).strip()}") from None
    if options.operator and not services:
        raise SystemExit(f'busware: No service is run by "{options.operator}".')
    show(csv_files.write(services) if options.csv else yaml_files.write(places, services), end="")
