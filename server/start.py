"""Starts and stops the server: database, schema, then one serving process or a supervisor of several.

The server stops in reverse order: it drains (server/service.py), then PostgreSQL stops. A second
signal ends this process at once; the embedded PostgreSQL then stops by itself.
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
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from types import FrameType

from busware.server import installation, logs, systemd
from busware.server.command_line import Parser, in_foreground
from busware.server.db.pool import DatabaseUnavailable, InternalError
from busware.server.db.schema import SchemaError, prepare
from busware.server.db.shards import prepare_shards
from busware.server.db.start_check import check_database
from busware.server.embedded.data_folder import PostgresError, given_urls
from busware.server.embedded.process import EmbeddedPostgres
from busware.server.mail import sms, smtp
from busware.server.output import NotShown, show
from busware.server.ports import check_ports
from busware.server.protocol import VERSION, Refusal
from busware.server.service import NotStopped, serve, tls_context
from busware.server.setting_kinds import DIALOGUES
from busware.server.settings import Settings, environment
from busware.server.supervisor import OUTDATED, READY, Supervisor
from busware.server.tls import is_loopback

log = logging.getLogger("busware")

OTHER_CONNECTIONS = 2  # database connections of a process beside those for reads: writer, listener
SPARE_CONNECTIONS = 56  # of the embedded PostgreSQL, for consoles and psql
EXIT_NOT_STOPPED = 1


def main(arguments: list[str]) -> None:
    """Serve until a signal. Raises SystemExit or SettingsError."""
    _run(_read_settings(arguments), _serve)


def work(arguments: list[str]) -> None:
    """Serve as a worker of the supervisor, which sets the environment. Raises SystemExit or SettingsError."""
    _run(Settings.load(), _serve_as_worker)


def _run(settings: Settings, start: Callable[[Settings, ExitStack], None]) -> None:
    tls_context(settings)  # raises SettingsError, before anything starts
    smtp.check_settings(settings)
    sms.check_settings(settings)
    logs.configure(settings)
    if in_foreground():
        logging.getLogger("busware.tcp").setLevel(logging.WARNING)  # the console shows the clients
    _raise_open_files_limit()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    try:
        with ExitStack() as stack:
            start(settings, stack)
    except (PostgresError, SchemaError, DatabaseUnavailable, InternalError, Refusal, OSError) as error:
        raise SystemExit(f"busware: {error}") from None
    except NotStopped:
        logs.flush()
        os._exit(EXIT_NOT_STOPPED)  # the interpreter would wait for the threads
    finally:
        logs.flush()


def _serve(settings: Settings, stack: ExitStack) -> None:
    """Start everything. Then run the operator's console, or without a terminal, wait for a signal."""
    reports = systemd.Reports()
    url = _start(settings, stack)
    stack.callback(reports.send, systemd.STOPPING)
    reports.send(systemd.READY)
    if in_foreground():
        from busware.server.console import prompt  # takes a fifth of the time of the other imports

        prompt.operate(url, settings, prompt.EXIT_STOPS_SERVER)
        _expect_second_signal()
    else:
        _wait()


def _serve_as_worker(settings: Settings, stack: ExitStack) -> None:
    """Serve until the supervisor closes the standard input of this process."""
    serve(
        settings,
        settings.database_url or "",
        stack,
        lambda reason: print(f"{OUTDATED}{reason}", flush=True),
        shared=True,
    )
    print(READY, flush=True)
    _wait(sys.stdin.fileno())


def _wait(*files: int) -> None:
    """Wait for a signal, whose handler raises SystemExit, or for the end of one of the files.

    A signal that comes just before a system call, or to another thread, does not interrupt the call. So each
    signal also writes a byte to a socket, which ends the wait.
    """
    receiver, sender = socket.socketpair()
    with receiver, sender:
        sender.setblocking(False)
        signal.set_wakeup_fd(sender.fileno())
        try:
            poll = select.poll()
            for file in (receiver.fileno(), *files):
                poll.register(file, select.POLLIN)
            poll.poll()
        finally:
            signal.set_wakeup_fd(-1)


def _raise_open_files_limit() -> None:
    """Allow as many open files as the system permits: each client needs one."""
    _, hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # the system may permit less than its own hard limit
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard_limit, hard_limit))


def _read_settings(arguments: list[str]) -> Settings:
    subcommands = [
        f"  {installation.subcommand(word):24} {about}" for word, about in installation.SUBCOMMANDS.items()
    ]
    parser = Parser(
        prog=installation.SERVER,
        description="Start the Busware server. An argument overrides its environment variable;\n"
        "every setting is explained in .env.example of the project.",
        epilog="other commands; each has its own --help:\n" + "\n".join(subcommands),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("port", nargs="?", help="TCP port, 0 for any free one (BUSWARE_PORT, 9999)")
    parser.add_argument("--port", dest="port_option", metavar="PORT", help=argparse.SUPPRESS)
    parser.add_argument(
        "--ports",
        metavar="DIALOGUE:PORT,...",
        help=f"more TCP ports, each for one dialogue: {', '.join(DIALOGUES)} (BUSWARE_PORTS)",
    )
    parser.add_argument("--host", help="address to listen on (BUSWARE_HOST, 127.0.0.1)")
    parser.add_argument(
        "--processes", metavar="N", help="number of processes that share the ports (BUSWARE_PROCESSES, 1)"
    )
    parser.add_argument(
        "--data", metavar="DIR", help="folder of the embedded database (BUSWARE_DATA, ./data)"
    )
    parser.add_argument("--version", action="version", version=f"Busware {VERSION}")
    parsed = parser.parse_args(arguments)
    if parsed.port and parsed.port.isalpha():
        parser.error(f'there is no command "{parsed.port}", and it is not a port (0 to 65535)')
    overrides = {
        "BUSWARE_PORT": parsed.port or parsed.port_option,
        "BUSWARE_PORTS": parsed.ports,
        "BUSWARE_HOST": parsed.host,
        "BUSWARE_PROCESSES": parsed.processes,
        "BUSWARE_DATA": parsed.data and str(Path(parsed.data).absolute()),
    }
    return Settings.load(environment() | {name: text for name, text in overrides.items() if text})


def _start(settings: Settings, stack: ExitStack) -> str:
    """Start everything, and push the stop functions onto the stack. Returns the URL of the database."""
    postgres = None if settings.database_url else _embedded_postgres(settings)
    if postgres:
        stack.callback(postgres.stop)
        # Before check_ports: if another server uses the folder, this error names that server.
        postgres.data_folder.lock_if_exists()
    settings = check_ports(settings)  # before a new data folder is created
    urls = postgres.start() if postgres else given_urls(settings)
    session_url = settings.listen_url or urls.server
    if settings.shards:
        prepare_shards(urls.owner, session_url, settings)
    else:
        prepare(urls.owner, session_url, settings)
    check_database(urls.server, session_url, settings)
    if settings.processes > 1:
        quiet = in_foreground() and settings.log_level == "INFO"  # the console shows the clients
        worker_settings = dataclasses.replace(settings, log_level="WARNING") if quiet else settings
        supervisor = Supervisor(worker_settings, urls.server, _stop_outdated)
        stack.callback(supervisor.stop)
        served = supervisor.start()
    else:
        served = serve(settings, urls.server, stack, _stop_outdated)
    if postgres:
        postgres.data_folder.announce(f"{served.host}:{served.port}")
    _print_addresses(served)
    return urls.server


def _embedded_postgres(settings: Settings) -> EmbeddedPostgres:
    connections = settings.processes * (settings.read_connections + OTHER_CONNECTIONS) + SPARE_CONNECTIONS
    options = {"max_connections": str(connections), "timezone": settings.time_zone}  # the time zone of psql
    return EmbeddedPostgres(settings.data, options=options)


def _print_addresses(settings: Settings) -> None:
    """Print the addresses of this server, and commands that reach it. The server serves without them too.

    settings: with the ports in use.
    """
    port = settings.port
    database = "DATABASE_URL" if settings.database_url else f"an embedded PostgreSQL in {settings.data}"
    http = f"{'https' if settings.tls_cert else 'http'}://{settings.host}:{settings.http_port}"
    where = "" if port == Settings.port else f" --port {port}"
    folder = "" if settings.data == Settings.data else f"BUSWARE_DATA={shlex.quote(str(settings.data))} "
    without_client = f'echo \'{{"jsonrpc":"2.0","id":1,"method":"places"}}\' | nc -N localhost {port}'
    if settings.tls_cert:
        where += " --tls"
        without_client = f"openssl s_client -quiet -connect localhost:{port}, and type: help"
    dialogues = ",".join(f"{dialogue}:{number}" for dialogue, number in settings.ports or ())
    ports = f"  Ports:    {dialogues}\n" if dialogues else ""
    addresses = (
        f"Busware {VERSION} serves on {settings.host}:{port}, from {database}.\n"
        f"  Page:     {http}/\n"
        f"  HTTP:     {http}/v1, reference: {http}/schema\n"
        f"{ports}"
        f"{_mail_line(settings)}"
        f"  Next:     {installation.CLIENT}{where} search Bengaluru Mysuru tomorrow\n"
        f"  JSON-RPC:\n    {without_client}\n"  # more than 80 columns on one line
        f"  Database: {folder}{installation.subcommand('psql')}\n"
        f"{way_into_container(settings) if _is_in_container() else ''}"
        "  Ctrl-C stops it."
    )
    try:
        show(addresses)
    except NotShown as error:
        log.warning("Standard output cannot be written: %s. %s", error, addresses.splitlines()[0])


def _mail_line(settings: Settings) -> str:
    """The line that says where mails go, if they are not sent."""
    if settings.smtp_host:
        return ""
    return f"  Mail:     files in {settings.data / 'mail'}, because BUSWARE_SMTP_HOST is not set\n"


def _is_in_container() -> bool:
    """Whether this process runs in a container of Docker or Podman."""
    return any(Path(file).exists() for file in ("/.dockerenv", "/run/.containerenv"))


def way_into_container(settings: Settings) -> str:
    """Lines that say how to reach the server from outside of its container."""
    if is_loopback(settings.host):
        lines = [
            f"{settings.host} can be reached from inside only.",
            "To open it, start with --host 0.0.0.0,",
            "and with TLS or BUSWARE_PLAIN=true.",
        ]
    else:
        numbers = (settings.port, settings.http_port, *(number for _, number in settings.ports or ()))
        lines = [
            "from outside, use the published ports:",
            f"docker run {' '.join(f'-p {number}:{number}' for number in numbers)}",
            f"or: docker compose exec server {installation.CLIENT}",
        ]
    return "  Container: {}\n             {}\n             {}\n".format(*lines)


def _stop_outdated(reason: str) -> None:
    """Stop this server because a breaking migration outdates its version."""
    log.error("This server stops. %s", reason)
    os.kill(os.getpid(), signal.SIGTERM)


def _stop(number: int, frame: FrameType | None) -> None:
    """Handle the first signal: unwind the stack."""
    _expect_second_signal()
    raise SystemExit(0)


def _expect_second_signal() -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop_at_once)
    log.info("Stopping: requests under way are answered. A second signal stops at once.")


def _stop_at_once(number: int, frame: FrameType | None) -> None:
    os._exit(128 + number)
