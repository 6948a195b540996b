"""The documents are correct.

server/PROTOCOL.md has the methods, fields, reasons and limits of the code; its examples run in order on a
server with the timetables of sql/9*.sql and a stopped clock, and so does the day of docs/operating.md. The
commands of README.md and docs/ run from top to bottom, in reading order, on one server, or
COMMANDS_RUN_ELSEWHERE names the file that runs them.
Files, headings, settings and tests that a page names exist.

In an example `…` matches any text, and a reference matches the one that the server returned in its place.
"""

import ast
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import fields
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import argon2
import msgspec
import pytest

from busware import commands
from busware.server import protocol
from busware.server.db import schema
from busware.server.settings import Settings, variable
from tests.conftest import NOW, Clock, Database, stop_clock
from tests.support.invoices import publish_events
from tests.support.message_client import MessageClient
from tests.support.processes import ServerProcess
from tests.support.project import PROJECT

PROTOCOL = (PROJECT / "server/PROTOCOL.md").read_text()
README = (PROJECT / "README.md").read_text()
DOCUMENTS = sorted([*PROJECT.glob("*.md"), *PROJECT.glob("docs/*.md"), PROJECT / "server/PROTOCOL.md"])
INDEX = PROJECT / "docs/README.md"
# Scripts whose BUSWARE_… variables the pages may name.
DEVELOPMENT = [
    PROJECT / name
    for name in (
        "scripts/python",
        "scripts/test",
        "tests/server/test_failover.py",
        "tests/server/shards/test_large_move.py",
    )
]
REFERENCE = r"\b(?:DT|7B|BAV|MT[BC])[A-HJ-NP-Z3789]{5}(?=\b|0\d)"  # of the services 101, 701, 803, 9101, 9102
DATE = r"\d{4}-\d\d-\d\d|[A-Z][a-z]{2} \d{1,2} [A-Z][a-z]{2} \d{4}"  # such as Sat 5 Dec 2026
BLOCK_OR_STEP = re.compile(r"(?ms)^```(\w*)\n(.*?)^```$|^<!-- Here the test (.*?)\. -->$")
REPLIES = {  # structs that several methods return, by their name in PROTOCOL.md
    "place": protocol.Place,
    "trip": protocol.Trip,
    "seat": protocol.Seat,
    "booking": protocol.Booking,
    "ticket": protocol.Ticket,
    "part": protocol.FarePart,
    "class": protocol.SeatClass,
    "concession": protocol.Concession,
    "session": protocol.Session,
    "trip as its operator sees it": protocol.OperatedTrip,
    "vehicle": protocol.Vehicle,
    "driver": protocol.Driver,
    "agent": protocol.Agent,
    "staff account": protocol.StaffAccount,
    "quota": protocol.Quota,
    "webhook": protocol.Webhook,
    "delivery": protocol.Delivery,
    "settled payment": protocol.SettledPayment,
    "settlement": protocol.Settlement,
    "payment": protocol.Payment,
    "refund of a payment": protocol.PaymentRefund,
}


def section(heading: str) -> str:
    """The text of PROTOCOL.md under a heading, up to the next heading of the same or a higher level."""
    level, _, _ = heading.partition(" ")
    (text,) = re.findall(rf"(?ms)^{re.escape(heading)}\n(.*?)(?=^#{{1,{len(level)}}} |\Z)", PROTOCOL)
    return str(text)


def table(heading: str, columns: int) -> list[list[str]]:
    """The rows of all tables with this number of columns under a heading."""
    rows = [line[1:-1].split("|") for line in section(heading).splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row] for row in rows if len(row) == columns]


def named(path: Path) -> str:
    """The path of a file relative to the project."""
    return str(path.relative_to(PROJECT))


# PROTOCOL.md -----------------------------------------------------------------------------------


@pytest.mark.parametrize("method", protocol.METHODS)
def test_method_is_documented_with_its_fields(method: str) -> None:
    request = protocol.METHODS[method]
    text = section(f"### `{method}`")
    wanted = [f.encode_name + ("" if f.required else "?") for f in msgspec.structs.fields(request)]
    (params,) = re.findall(r"(?m)^- Params: (?:`(.+?)`|none)", text)
    assert params == ", ".join(wanted)
    (result,) = re.findall(r"(?m)^- Result: (.+)", text)
    named = set(re.findall(r"\w+", " ".join(re.findall(r"`(.+?)`", result))))
    for link in re.findall(r"\[(.+?)\]\(#replies\)", result):
        named |= set(REPLIES.get(link, protocol.Done).__struct_fields__)
    assert set(request.reply.__struct_fields__) <= named
    assert f"[`{method}`](#{method})" in PROTOCOL
    assert f'"method":"{method}"' in text, "it has no example"


def test_documented_methods_exist_and_are_linked() -> None:
    assert re.findall(r"(?m)^### `(\w+)`$", PROTOCOL) == re.findall(r"\[`(\w+)`\]\(#\1\)", PROTOCOL)
    assert set(re.findall(r"(?m)^### `(\w+)`$", PROTOCOL)) == protocol.METHODS.keys()


def test_every_field_is_documented() -> None:
    rows = [(re.findall(r"`(\w+)`", names), takes) for names, takes, *_ in table("## Fields", 3)]
    for request in protocol.METHODS.values():
        for name in request.__struct_encode_fields__:
            assert any(name in names and takes == request.takes(name) for names, takes in rows), name


@pytest.mark.parametrize("name", REPLIES)
def test_reply_is_documented_with_its_fields(name: str) -> None:
    (documented,) = re.findall(rf"(?m)^\*\*An? {name}\*\*: `(.+?)`", section("## Replies"))
    assert documented.split(", ") == list(REPLIES[name].__struct_fields__)


@pytest.mark.parametrize("struct", [protocol.ManifestStop, protocol.ManifestPassenger])
def test_manifest_is_documented_with_its_fields(struct: type[msgspec.Struct]) -> None:
    assert f"`{', '.join(struct.__struct_fields__)}`" in section("### `manifest`")


def test_every_reason_is_documented() -> None:
    rows = {reason.strip("`"): (when, data) for reason, when, data in table("## Errors", 3) if "`" in reason}
    assert {reason: when for reason, (when, _) in rows.items()} == protocol.REASONS
    for reason, (when, data) in rows.items():
        assert set(re.findall(r"`(\w+)`", when)) <= set(re.findall(r"`(\w+)`", data)), reason
    of_methods = set(re.findall(r"`(\w+)`", section("## Methods")))
    assert protocol.REASONS.keys() <= of_methods, "no method names this reason"


def test_documented_limits_are_the_defaults_of_settings() -> None:
    known = {variable(field): field for field in fields(Settings)}
    rows = [(name.strip("`"), value) for _, name, value, _ in table("## Limits", 4) if "`" in name]
    assert len(rows) > 5
    for name, value in rows:
        assert float(value.replace(",", "")) == known[name].default, name


# Names -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_links_have_targets(document) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
        if target.startswith("https://"):
            continue
        file, _, anchor = target.partition("#")
        path = (document.parent / file).resolve() if file else document
        assert path.exists(), target
        if anchor:
            headings = re.findall(r"(?m)^#+ (.+)$", path.read_text())
            anchors = [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]
            assert anchor in anchors, target


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_named_settings_exist(document) -> None:
    compose = set(re.findall(r"BUSWARE_\w+_PASSWORD", (PROJECT / "docker-compose.yml").read_text()))
    of_client = set(re.findall(r"BUSWARE_\w+", commands.EPILOG))
    of_tests = set(re.findall(r"BUSWARE_[A-Z_]+", "".join(path.read_text() for path in DEVELOPMENT)))
    known = {variable(field) for field in fields(Settings)} | compose | of_client | of_tests
    assert set(re.findall(r"\b(?:BUSWARE_[A-Z_]+|DATABASE_URL)\b", document.read_text())) <= known


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_named_tests_exist(document) -> None:
    for file, test in re.findall(r"(tests/[\w/]+\.py)::(\w+)", document.read_text()):
        assert f"\ndef {test}(" in (PROJECT / file).read_text(), f"{file} has no {test}"


def test_index_lists_every_page_once() -> None:
    targets = re.findall(r"(?m)^- \[.+?\]\((.+?)\): ", INDEX.read_text())
    listed = [(INDEX.parent / target).resolve() for target in targets]
    assert sorted(listed) == sorted({*DOCUMENTS, PROJECT / ".env.example"} - {INDEX})


@pytest.mark.parametrize("folder", ["client", "server"])
def test_architecture_page_lists_every_module(folder) -> None:
    text = (PROJECT / "docs/architecture.md").read_text()
    (files,) = re.findall(rf"(?ms)^## Files of the {folder}\n(.*?)(?=^## )", text)
    listed, package = [], ""
    for line in re.findall(r"(?m)^\|(?=.*`)(.*)\|$", files):
        first, second, *_ = ([*re.findall(r"`([\w/]+)`", cell)] for cell in line.split("|"))
        if first and first[0].endswith("/"):
            (package,) = first
        listed += [package + name for name in second] if not first or package in first else first
    modules = [path.relative_to(PROJECT / folder) for path in (PROJECT / folder).rglob("*.py")]
    assert sorted(listed) == sorted(str(path.with_suffix("")) for path in modules if path.stem != "__init__")


@pytest.mark.parametrize("file", sorted(PROJECT.glob("server/**/__init__.py")), ids=named)
def test_docstring_that_lists_modules_lists_all(file) -> None:
    modules = {path.stem for path in file.parent.glob("*.py")} - {"__init__"}
    docstring = ast.get_docstring(ast.parse(file.read_text())) or ""
    if modules & {*re.findall(r"(?m)^ *(\w+)  ", docstring)}:  # a column of names
        assert modules <= {*re.findall(r"\w+", docstring)}


def test_version_is_written_in_one_place() -> None:
    places = [path for folder in ("client", "server") for path in (PROJECT / folder).rglob("*.py")]
    places += [PROJECT / "pyproject.toml", PROJECT / "server/PROTOCOL.md", PROJECT / "Dockerfile"]
    found = [named(path) for path in places if f'"{protocol.VERSION}"' in path.read_text()]
    assert found == ["server/protocol/__init__.py"]


def test_changelog_has_the_version_and_its_date() -> None:
    headings = re.findall(r"(?m)^## (.+)$", (PROJECT / "CHANGELOG.md").read_text())
    versions = [
        re.fullmatch(r"\[(\d+\.\d+\.\d+)\] – (unreleased|\d{4}-\d\d-\d\d)", line) for line in headings
    ]
    assert all(versions), headings
    (latest, _), *earlier = [found.groups() for found in versions if found]
    assert latest == protocol.VERSION
    assert "unreleased" not in [date for _, date in earlier]


def test_ci_and_pre_commit_run_the_same_checks() -> None:
    hooks = re.findall(r"(?m)^ +entry: (.+)$", (PROJECT / ".pre-commit-config.yaml").read_text())
    assert hooks == ["scripts/lint"]
    assert '\n"$here/lint"\n' in (PROJECT / "scripts/test").read_text()
    assert "scripts/test" in (PROJECT / ".ci/run").read_text()


# Examples of PROTOCOL.md -----------------------------------------------------------------------


@pytest.fixture
def database(new_database):
    """A database with the timetables, loaded at NOW."""
    database = new_database("documented")
    schema.prepare(database.owner, database.server, Settings(seed=False))
    stop_clock(database.conn, NOW)
    schema.prepare(database.owner, database.server)
    return database


class Transcript:
    """Compares received text with documented text, and maps documented references to real ones."""

    def __init__(self) -> None:
        self._real: dict[str, str] = {}

    def typed(self, documented: str) -> str:
        """The text to send: with real references, and as one line if the document has broken it."""
        line = documented.replace("\n  ", "")
        return re.sub(REFERENCE, lambda found: self._real.get(found[0], found[0]), line)

    def matches(self, documented: str, received: str) -> bool:
        """Whether the received text is as documented."""
        pattern = ""
        for part in re.split(rf"({REFERENCE}|…|\n  (?=[\"{{}}]))", documented):
            if part == "…":
                pattern += "(?s:.*?)"
            elif part == "\n  ":
                pattern += " ?"
            elif re.fullmatch(REFERENCE, part) and part not in self._real:
                pattern += f"(?P=_{part})" if f"<_{part}>" in pattern else f"(?P<_{part}>{REFERENCE})"
            else:
                pattern += re.escape(self._real.get(part, part))
        found = re.fullmatch(pattern, received)
        self._real |= {name[1:]: real for name, real in found.groupdict().items()} if found else {}
        return found is not None


def exchanges(block: str, mark: str) -> Iterator[tuple[str, str]]:
    """The pairs of sent and received text in a block. mark: it stands before sent text."""
    for part in re.split(rf"(?m)^{mark} ", block)[1:]:
        sent, _, received = part.partition("\n← " if mark == "→" else "\n")
        yield sent, received.removesuffix("\n")


def check_reply(sent: str, received: str) -> None:
    """Check that a result has the fields of its struct, and no others."""
    request, reply = json.loads(sent), json.loads(received)
    if isinstance(request, dict) and "result" in reply:
        decoded = msgspec.convert(reply["result"], protocol.METHODS[request["method"]].reply)
        encoded = re.sub(rb'(:\d\d)Z"', rb'\1+00:00"', msgspec.json.encode(decoded))  # both mean UTC
        assert json.loads(encoded) == reply["result"]


def prepare(step: str, line, database) -> None:
    """Do what a comment of PROTOCOL.md says before the next example."""
    match step.replace(",", "").split():
        case ["connects", "to", "the", "port", "of", _, *_]:
            pass  # run_messages does it
        case ["fills", "bus", bus_id, "of", travel_date]:
            trip = {"bus_id": int(bus_id), "travel_date": travel_date}
            trip |= {"origin": "Bengaluru", "destination": "Mysuru"}
            seats = [seat["seat_no"] for seat in line.call("seat_map", **trip)["seats"]]
            for n in range(0, len(seats), 6):
                booking = line.call("book", **trip, seats=seats[n : n + 6], phone="98450 00000")
                assert booking["status"] == "booked"
        case ["adds", "the", "operator", username, "of", operator]:
            password = argon2.PasswordHasher().hash("correct horse")
            assert database.value("SELECT api.add_operator(%s, %s, %s)", username, password, operator)
        case ["has", "bus", bus_id, "paid", "by", "transfer"]:
            change = json.dumps({"bus_id": int(bus_id), "payment": "manual"})
            assert "reason" not in database.value("SELECT answer FROM api.put_service(NULL, %s)", change)
        case ["has", "bus", bus_id, "paid", "on", "board"]:
            change = json.dumps({"bus_id": int(bus_id), "payment": "none"})
            assert "reason" not in database.value("SELECT answer FROM api.put_service(NULL, %s)", change)
        case ["adds", "the", "agent", username, "of", operator]:
            assert database.value("SELECT api.add_agent(%s, '', %s)", username, operator)
        case _:
            raise AssertionError(f"unknown step: {step}")


@pytest.mark.settings(
    ports=(("flight", 0), ("show", 0)), silence_ms=1, manual_account="KSRTC, account 12345678"
)
def test_examples_of_the_protocol(connect, server, database) -> None:
    server.tcp.now = lambda: NOW
    line, transcript, seen, port_of = connect(), Transcript(), set(), ""
    for _, block, step in BLOCK_OR_STEP.findall(PROTOCOL):
        if step:
            prepare(step, connect(), database)
            port_of = "".join(re.findall(r"^connects to the port of (\w+)", step))
        elif port_of:
            with closing(MessageClient(server.host, dict(server.tcp.ports)[port_of])) as program:
                run_messages(program, transcript, block)
            port_of = ""
            seen.add("messages")
        elif block.startswith("→ "):
            for sent, documented in exchanges(block, "→"):
                line.send(transcript.typed(sent))
                received = line.receive().decode()
                assert transcript.matches(documented, received), f"{sent}\n{documented}\nwas:\n{received}"
                check_reply(transcript.typed(sent), received)
            seen.add("json")
        elif block.startswith("> "):
            run_conversation(connect(), transcript, block)
            seen.add("text")
    assert seen == {"json", "text", "messages"}


MAX_ELLIPSIS_LINES = 50  # the lines that an … matches, at most


def run_conversation(line, transcript: Transcript, block: str) -> None:
    """Run a conversation in plain text. In a documented reply, … ends at the line after it."""
    for sent, documented in exchanges(block, ">"):
        line.send(transcript.typed(sent))
        received: list[str] = []
        while not transcript.matches(documented, "\n".join(received)):
            too_long = len(received) > documented.count("\n") + MAX_ELLIPSIS_LINES
            assert not too_long, "\n".join([sent, documented, "received:", *received])
            received.append(line.receive().decode())


def run_messages(program: MessageClient, transcript: Transcript, block: str) -> None:
    """Run a conversation of a small program. It begins with what the server sends first."""
    first = block.partition("\n> ")[0]
    for sent, documented in [("", first), *exchanges(block, ">")]:
        received = (program.ask(transcript.typed(sent)) if sent else program.receive()).rstrip("\n")
        assert transcript.matches(documented, received), f"{sent}\n{documented}\nwas:\n{received}"


# The pages -------------------------------------------------------------------------------------

PAGES = ("README.md", "docs/timetables.md", "docs/python.md", "docs/administration.md")
PRINTED = {  # a pattern of what the Python program of a page prints
    "README.md": r"\w{7} \[\d+, \d+\]\n",
    "docs/python.md": r"(\w{7}) booked \d+\.00\n(?:\w+ \S+ \S+ 0\.00\n)+"
    r"unknown_seat {'\w.+}\n\['\w{7}'\]\nbooked\n",
}
COMMANDS_RUN_ELSEWHERE = {  # a pattern of commands that other files run, and such a file
    r"scripts/start|scripts/start --processes 4": "tests/server/test_processes.py",
    r"scripts/client|busware|busware-server": "tests/client/test_terminal.py",
    r"(scripts/python -m )?pip install .*": "scripts/python",
    r"scripts/env|docker compose up( --build)?": "tests/project/test_compose_engine.py",
    r"scripts/test|scripts/lint|BUSWARE_EXTRAS=test scripts/python -m pytest .*": ".ci/run",
    r".venv/bin/pre-commit install": ".pre-commit-config.yaml",
    r"scripts/bench( .*)?": "scripts/benchmark/__main__.py",
}
PAGES_RUN_ELSEWHERE = {
    "docs/backup.md": "tests/project/test_recovery.py",
    "docs/operating.md": "test_day_of_an_operator",
    "docs/accounts.md": "test_page_of_the_accountant",
    "docs/http.md": "tests/project/test_http_doc.py",
    "docs/monitoring.md": "tests/project/test_operations.py",  # runs promtool on the same files
    "docs/releasing.md": "a release by hand",
    "docs/scaling.md": "tests/server/test_failover.py",  # with the same files; docker compose by hand
    "docs/systemd.md": "an installation by hand",  # tests/project/test_operations.py compares its paths
}


def is_run_elsewhere(line: str) -> bool:
    """Whether COMMANDS_RUN_ELSEWHERE has the command of a line."""
    command = re.sub(r" +# .*", "", line)
    return any(re.fullmatch(pattern, command) for pattern in COMMANDS_RUN_ELSEWHERE)


_PROGRAMS = re.compile(r"\b(nc|curl) ")
_KEEP_EXPORTS = "test ! -e exported || . ./exported; trap 'export -p > exported' EXIT"
_COUNT_SERVICES = "SELECT count(*) FROM bus_info WHERE kind IN ('bus', 'flight') GROUP BY kind ORDER BY kind"


@pytest.mark.usefixtures("away_from_midnight")
def test_commands_of_the_pages_work(data_folder, tmp_path) -> None:
    (tmp_path / "scripts").symlink_to(PROJECT / "scripts")
    with ServerProcess("0", "--data", str(data_folder), BUSWARE_SEED="true") as server:
        http_port = re.findall(r":(\d+)/v1", server.read_until("HTTP:"))[0]
        environment = {"BUSWARE_DATA": str(data_folder), "BUSWARE_PORT": str(server.port)}
        runner = PageRunner(
            tmp_path, environment, {"localhost 9999": server.port, "localhost:8000": http_port}
        )
        runner.run("scripts/python -c ''")  # makes .venv if needed, before the commands that are compared
        buses, flights = runner.run(f'scripts/psql -At -c "{_COUNT_SERVICES}"').split()
        assert f"timetables of {buses} buses" in README
        assert f"{flights} flights" in README
        for page in PAGES:
            runner.run_page(page)
        clean = runner.run("scripts/audit")
    assert clean == "Clean: every rule holds.\n"
    assert runner.kinds == {"session", "sh", "python", "sql", "ini", "yaml", "csv", "json"}


def test_day_of_an_operator(server, database, clock, tmp_path) -> None:
    (tmp_path / "scripts").symlink_to(PROJECT / "scripts")
    environment = {"DATABASE_URL": database.server, "BUSWARE_OWNER_URL": database.owner}
    runner = PageRunner(tmp_path, environment | {"BUSWARE_PORT": str(server.port)}, {}, clock)
    runner.run_page("docs/operating.md")
    assert runner.kinds == {"session", "yaml", "json"}


def test_page_of_the_accountant(server, database, clock, tmp_path) -> None:
    (tmp_path / "scripts").symlink_to(PROJECT / "scripts")
    environment = {"DATABASE_URL": database.server, "BUSWARE_OWNER_URL": database.owner}
    runner = PageRunner(tmp_path, environment | {"BUSWARE_PORT": str(server.port)}, {}, clock, database)
    runner.run_page("docs/accounts.md")
    assert runner.kinds == {"session"}


_OTHER_PAGES = [path for path in DOCUMENTS if named(path) not in (*PAGES, *PAGES_RUN_ELSEWHERE)]


@pytest.mark.parametrize("document", _OTHER_PAGES, ids=named)
def test_commands_of_other_pages_run_elsewhere(document) -> None:
    blocks = [block for info, block, _ in BLOCK_OR_STEP.findall(document.read_text()) if info == "sh"]
    lines = [line for block in blocks for line in block.splitlines()]
    assert [line for line in lines if not is_run_elsewhere(line)] == []


def can_be_run(line: str) -> bool:
    """Whether nc and curl are installed, if a line uses them."""
    return all(shutil.which(program) for program in _PROGRAMS.findall(line))


class PageRunner:
    """Runs the blocks of pages in a folder. ports: the real port for each documented `host:port`.

    clock: a stopped clock, which the steps of a page set; the dates of the page are exact then. database: of
    the server, whose events the steps of a page publish.
    """

    def __init__(
        self,
        folder,
        environment: dict[str, str],
        ports: dict[str, int | str],
        clock: Clock | None = None,
        database: Database | None = None,
    ) -> None:
        self._folder = folder
        self._clock, self._database = clock, database
        self._transcript = Transcript()
        self._ports = {documented: f"{documented[:-4]}{port}" for documented, port in ports.items()}
        self._environment = {
            **os.environ, **environment, "NO_COLOR": "1", "COLUMNS": "120",
            "TZ": Settings.time_zone,  # `date` and the server must agree on the date of tomorrow
        }  # fmt: skip
        self.kinds: set[str] = set()

    def run(self, script: str) -> str:
        """Run a script with a password as its input; return its output. It must exit with 0.

        It has the variables that earlier scripts have exported, as in one shell.
        """
        for documented, port in self._ports.items():
            script = script.replace(documented, port)
        if self._clock:  # a client has the clock of its machine
            today = self._clock.now.astimezone(ZoneInfo(Settings.time_zone)).date()
            days = {"today": today, "tomorrow": today + timedelta(days=1)}
            script = re.sub(r"\b(today|tomorrow)\b", lambda found: str(days[found[0]]), script)
        done = subprocess.run(
            ["bash", "-c", f"{_KEEP_EXPORTS}\n{script}"],
            cwd=self._folder, env=self._environment, input="correct horse\n",
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{script}\nended with {done.returncode}:\n{done.stdout}"
        return done.stdout

    def run_page(self, page: str) -> None:
        """Run the blocks of a page. Its Python blocks are run together, as one program."""
        text = (PROJECT / page).read_text()
        self._transcript = Transcript()
        for found in BLOCK_OR_STEP.finditer(text):
            info, block, step = found.groups("")
            if step == "publishes the events":
                assert self._database
                publish_events(self._database)
            elif step:
                self._set_clock(step)
            elif info in ("yaml", "csv", "json"):  # the page names the file before
                name = re.findall(rf"`(\w+\.{info})`", text[: found.start()])[-1]
                (self._folder / name).write_text(block)
                self.kinds.add(info)
            else:
                self._run_block(info, block)
        if program := "".join(block for info, block, _ in BLOCK_OR_STEP.findall(text) if info == "python"):
            port = self._environment["BUSWARE_PORT"]
            program = re.sub(r"\b(connect|connect_async)\(\)", rf"\1(port={port})", program)
            (self._folder / "mine.py").write_text(program)
            printed = self.run("scripts/python mine.py")
            assert re.fullmatch(PRINTED[page], printed), printed

    def _set_clock(self, step: str) -> None:
        """Set the clock as a comment of the page says, in the time zone of the timetables."""
        time = datetime.fromisoformat(step.removeprefix("sets the clock to "))
        assert self._clock
        self._clock.set(time.replace(tzinfo=ZoneInfo(Settings.time_zone)))

    def _run_block(self, info: str, block: str) -> None:
        """Run a block, as its kind requires."""
        self.kinds.add(info or "session")
        if block.startswith("$ "):
            self._compare(block)
        elif info == "sh":
            lines = [line for line in block.splitlines() if not is_run_elsewhere(line)]
            scripts = ["\n".join(lines)] if "wait" in lines else filter(can_be_run, lines)
            printed = "".join(map(self.run, scripts))
            if "wait" in lines:
                assert printed.count("Booked: ") == 1
                assert printed.count("Seat 7 is taken between Bengaluru and Mysuru.") == 1
            if printed and _PROGRAMS.search(block):
                assert '"bus_id":101' in printed.replace(" ", "")
        elif "INSERT INTO places" in block:
            (self._folder / "my_route.sql").write_text(block)
        elif info == "sql":
            (self._folder / "some.sql").write_text(block)
            self.run("scripts/psql --no-psqlrc --set ON_ERROR_STOP=1 --file some.sql")

    def _compare(self, block: str) -> None:
        """Run the commands of a session, and compare what they print, except references.

        Dates are not compared if the clock runs.
        """
        dates = r"(?!)" if self._clock else DATE
        for command, shown in exchanges(block, r"\$"):
            printed = self.run(f"{self._transcript.typed(command.partition(' #')[0])} || true")
            received, documented = (re.sub(r" +", " ", re.sub(dates, "DATE", text))
                                    for text in (printed, shown.replace("...", "…")))  # fmt: skip
            matches = self._transcript.matches(f"{documented.rstrip()}…", received)
            assert matches, f"$ {command}\n{shown}\nprinted:\n{printed}"
