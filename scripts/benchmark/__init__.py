"""scripts/bench: compares this server with pgbench, in alternating runs.

measurements  all measurements by name, with targets     workloads  the requests of either side
sides         what is measured: the server, pgbench      datasets      the databases
load          the clients, in a process of their own     pgbench    runs pgbench
seats         what each strategy for seats sells         report     stores the figures, writes the table
batch         the cost of a batch in PostgreSQL          plots      draws the figures
standby       reads that a standby executes              shards     several databases
"""

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
