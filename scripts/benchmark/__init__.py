"""scripts/bench: this server against PostgreSQL's own limit, side by side in one run.

measurements  every figure by name, with its target      workloads  what is asked, of us and of pgbench
sides         who is measured: pgbench, this server      world      the databases
load          the clients, a process of their own        pgbench    PostgreSQL's own
seats         how full the bus gets                      report     the figures, and the table of them
batch         what a batch costs PostgreSQL              plots      the pictures of them
"""

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
