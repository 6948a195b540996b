"""The server.

__main__ finds the subcommand. start puts the server together: settings → embedded → db.schema → service, or
a supervisor of several → console.

  settings      what the environment says           tls            TLS over a socket
  protocol/     requests, replies, refusals         conversation/  the guided dialogues
  db/           pool, reader, writer, listener, schema
  embedded/     the embedded PostgreSQL: data folder, process
  accounts/     sessions, passwords, rate limits    booking/       operations, permissions
  push/         what connected clients are sent unasked; messages
  tcp/  http/   the two servers                     console/       the operator's terminal
  installation  the names of the commands           start          from the settings to a signal
  housekeeping  the timers                          metrics        what is measured, for Prometheus
  service       one process that serves             supervisor     several of them on one port
  health        asks a running server whether it is ready

All that must be atomic is decided in the database, by the functions of sql/.
"""

from importlib.util import find_spec

if find_spec("busware") is None or find_spec("msgspec") is None:  # a checkout without its environment
    raise SystemExit("busware: this Python lacks what Busware needs. Use scripts/python, which installs it.")
