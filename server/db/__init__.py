"""Access to PostgreSQL: nothing outside this package holds a connection that serves requests.

pool      pooled connections, and what an error of PostgreSQL means
reader    every read; several of them in one statement where they wait
writer    every write to a trip, by group commit
listener  change notifications between processes, by LISTEN and NOTIFY
schema    brings a database to this version
"""
