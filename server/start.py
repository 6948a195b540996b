"""Start the server: settings → database → schema → service, or a supervisor of several → console, signals.

What is started last is stopped first: the service drains (server/service.py), then PostgreSQL stops. A
second signal stops without waiting; PostgreSQL stops by itself then.
"""

import argparse
import dataclasses
import logging
import os
import resource
import select
import shlex
import signal
import socket
import ssl
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from types import FrameType

from busware.server import installation
from busware.server.console import prompt
from busware.server.db.pool import DatabaseUnavailable, InternalError
from busware.server.db.schema import SchemaError, prepare
from busware.server.embedded.data_folder import PostgresError, Urls
from busware.server.embedded.process import EmbeddedPostgres
from busware.server.protocol import VERSION, Refusal
from busware.server.service import check_port, serve, tls_context
from busware.server.settings import Settings, environment
from busware.server.supervisor import OUTDATED, READY, Supervisor

log = logging.getLogger("busware")

OTHER_CONNECTIONS = 2  # of a process to the database, beside its reads': the writer, the hints
SPARE_CONNECTIONS = 56  # to the embedded PostgreSQL, on top of that: consoles, people in psql

Serves = Callable[[Settings, ssl.SSLContext | None, ExitStack], None]

SUBCOMMANDS = {  # server/__main__.py runs them
    "psql": "psql on the running database, as its owner",
    "seed": "load timetables from files of SQL",
    "audit": "check the whole database",
    "operator": "make accounts for operators",
    "console": "the operator's console of a running server",
    "health": "whether the running server and its database are ready",
}


def main(arguments: list[str]) -> None:
    """Serve until a signal. Raises SystemExit; SettingsError for a wrong setting."""
    _run_until_signal(_read_settings(arguments), _serve, log_process=False)


def work() -> None:
    """Serve as one of the supervisor's processes. Raises SystemExit; SettingsError for a wrong setting."""
    _run_until_signal(Settings.load(), _serve_for_supervisor, log_process=True)


def _run_until_signal(settings: Settings, serves: Serves, *, log_process: bool) -> None:
    tls = tls_context(settings)
    _log(settings, log_process)
    _allow_open_files()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    try:
        with ExitStack() as stack:
            serves(settings, tls, stack)
    except (PostgresError, SchemaError, DatabaseUnavailable, InternalError, Refusal, OSError) as error:
        raise SystemExit(f"busware: {error}") from None


def _serve(settings: Settings, tls: ssl.SSLContext | None, stack: ExitStack) -> None:
    """Start everything, and be the operator's console; without a terminal, wait for a signal."""
    url = _start(settings, tls, stack)
    if prompt.on_a_terminal():
        prompt.operate(url, settings, prompt.STOPS)
        _wind_up()
    else:
        _wait()


def _serve_for_supervisor(settings: Settings, tls: ssl.SSLContext | None, stack: ExitStack) -> None:
    """Serve as one of the supervisor's processes: until the standard input, which it holds, ends."""

    def leave(why: str) -> None:
        log.error("This process stops. %s", why)
        print(OUTDATED, flush=True)  # the supervisor ends its workers

    serve(settings, settings.database_url or "", tls, stack, leave, shared=True)
    print(READY, flush=True)
    _wait(sys.stdin.fileno())


def _wait(*ends: int) -> None:
    """Until a signal comes, whose handler raises SystemExit; or until what is open under a number ends.

    Each signal leaves a byte here, since one that comes just before a system call, or to another thread, does
    not interrupt it, and a handler has to wait for its end.
    """
    near, far = socket.socketpair()
    with near, far:
        far.setblocking(False)
        signal.set_wakeup_fd(far.fileno())
        try:
            poll = select.poll()
            for file in (near.fileno(), *ends):
                poll.register(file, select.POLLIN)
            poll.poll()
        finally:
            signal.set_wakeup_fd(-1)


def _log(settings: Settings, log_process: bool) -> None:
    process = " [%(process)d]" if log_process else ""
    logging.basicConfig(
        level=settings.log_level,
        format=f"%(asctime)s{process} %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    if prompt.on_a_terminal():
        logging.getLogger("busware.tcp").setLevel(logging.WARNING)  # the console tells who comes and goes


def _allow_open_files() -> None:
    """As many as may be: each client is one, and many systems begin with 1,024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # the system has less than it promised; then it stays as it was
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _read_settings(arguments: list[str]) -> Settings:
    others = [f"  {installation.subcommand(word):24} {about}" for word, about in SUBCOMMANDS.items()]
    parser = argparse.ArgumentParser(
        prog=installation.SERVER,
        description="The Busware server. An argument counts for more than its variable;\n"
        "every setting is explained in .env.example of the project.",
        epilog="other commands, each with a --help of its own:\n" + "\n".join(others),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("port", nargs="?", help="the TCP port, 0 for any free one (BUSWARE_PORT, 9999)")
    parser.add_argument("--port", dest="port_option", metavar="PORT", help=argparse.SUPPRESS)
    parser.add_argument("--host", help="the address to listen on (BUSWARE_HOST, 127.0.0.1)")
    parser.add_argument("--processes", metavar="N", help="how many serve, on one port (BUSWARE_PROCESSES, 1)")
    parser.add_argument("--data", metavar="DIR", help="the embedded database's folder (BUSWARE_DATA, ./data)")
    parser.add_argument("--version", action="version", version=f"Busware {VERSION}")
    told = parser.parse_args(arguments)
    if told.port and told.port.isalpha():
        parser.error(f'there is no command "{told.port}", and a port is a whole number from 0 to 65535')
    given = {
        "BUSWARE_PORT": told.port or told.port_option,
        "BUSWARE_HOST": told.host,
        "BUSWARE_PROCESSES": told.processes,
        "BUSWARE_DATA": told.data and str(Path(told.data).absolute()),
    }
    return Settings.load(environment() | {name: text for name, text in given.items() if text})


def _start(settings: Settings, tls: ssl.SSLContext | None, stack: ExitStack) -> str:
    """Start everything, the stop of it on the stack, and say where it is. Answers the database's URL."""
    given = settings.database_url or ""
    postgres = None if given else _take_folder(settings, stack)
    check_port(settings)  # before anything is made
    urls = postgres.start() if postgres else Urls(settings.owner_url or given, given)
    prepare(urls.owner, urls.server, settings)
    if settings.processes > 1:
        supervisor = Supervisor(_quiet(settings), urls.owner, urls.server)
        supervisor.on_outdated = _terminate
        supervisor.start()
        stack.callback(supervisor.stop)
        port, http_port = supervisor.port, supervisor.http_port
    else:
        port, http_port = serve(settings, urls.server, tls, stack, _leave)
    if postgres:
        postgres.cluster.announce(f"{settings.host}:{port}")
    _say_hello(settings, port, f"{'https' if tls else 'http'}://{settings.host}:{http_port}")
    return urls.server


def _take_folder(settings: Settings, stack: ExitStack) -> EmbeddedPostgres:
    """The embedded PostgreSQL, to be started: its folder is ours. Raises PostgresError when it cannot be."""
    connections = settings.processes * (settings.read_connections + OTHER_CONNECTIONS) + SPARE_CONNECTIONS
    options = {"max_connections": str(connections), "timezone": settings.time_zone}  # of people in psql
    postgres = EmbeddedPostgres(settings.data, options=options)
    stack.callback(postgres.stop)
    postgres.cluster.take()
    return postgres


def _quiet(settings: Settings) -> Settings:
    """The settings of workers: they do not log who comes and goes when the console tells it."""
    quiet = prompt.on_a_terminal() and settings.log_level == "INFO"
    return dataclasses.replace(settings, log_level="WARNING") if quiet else settings


def _say_hello(settings: Settings, port: int, http: str) -> None:
    """Where it is, and what may be typed next, which leads here and to no other server."""
    database = "DATABASE_URL" if settings.database_url else f"an embedded PostgreSQL, in {settings.data}"
    where = "" if port == Settings.port else f" --port {port}"
    folder = "" if settings.data == Settings.data else f"BUSWARE_DATA={shlex.quote(str(settings.data))} "
    by_hand = f'echo \'{{"jsonrpc":"2.0","id":1,"method":"places"}}\' | nc -N localhost {port}'
    if settings.tls_cert:
        where += " --tls"
        by_hand = f"openssl s_client -quiet -connect localhost:{port}, and type: help"
    print(
        f"Busware {VERSION} serves on {settings.host}:{port}, from {database}.\n"
        f"  HTTP:     {http}/v1, described at {http}/schema\n"
        f"  Next:     {installation.CLIENT}{where} search Bengaluru Mysuru tomorrow\n"
        f"  By hand:  {by_hand}\n"
        f"  The data: {folder}{installation.subcommand('psql')}\n"
        "  Ctrl-C stops it.",
        flush=True,
    )


def _stop(number: int, frame: FrameType | None) -> None:
    """The first signal: unwind the stack."""
    _wind_up()
    raise SystemExit(0)


def _leave(why: str) -> None:
    """Stop, as by a signal, because a breaking migration outdates this version."""
    log.error("This server stops. %s", why)
    _terminate()


def _terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def _wind_up() -> None:
    """It ends now; whoever does not want to wait for the end of it gives another signal."""
    for again in (signal.SIGTERM, signal.SIGINT):
        signal.signal(again, _stop_at_once)
    log.info("Stopping: answers under way are sent. Once more to stop at once.")


def _stop_at_once(number: int, frame: FrameType | None) -> None:
    os._exit(128 + number)
