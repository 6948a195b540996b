"""The server.

__main__ puts it together: settings → postgres → schema → reads, writer → operations → tcp, web.
  settings      what the environment told it   cluster       the embedded database's folder
  postgres      the embedded database, alive   schema        tables, functions, rights, timetables
  wire          requests, replies, refusals    codec         bytes ↔ requests and replies
  tcp           one thread for each client     operations    one short function for each request
  reads         many in one statement          writer        writes, many in one commit
  accounts      who is asking                  rights        who may ask what
  notices       what has changed elsewhere     delivery      tells it to those who are connected
  web           the HTTP face                  housekeeping  the timers
All that must be atomic is decided in the database, by the functions of ../sql.
"""

from importlib.util import find_spec

if find_spec("msgspec") is None:  # of all that pyproject.toml wants, what everything here needs first
    raise SystemExit("busware: this Python lacks what Busware needs. Use scripts/python, which installs it.")
