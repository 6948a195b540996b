"""Access to PostgreSQL: nothing outside this package holds a connection that serves requests.

deadlines time limits of every wait for PostgreSQL
pool      the connection pool, and the classification of errors
reader    every read; reads that wait share a statement
shards, shard_queues, shard_move   the databases of an installation with shards; the queues of each shard;
          moves a virtual shard to another database
standby   reads on a standby that has every acknowledged commit
writer    every requested write to a trip, by group commit
listener  change notifications between processes, by LISTEN and NOTIFY
schema    brings a database to this version
requirements, start_check   what the server requires of PostgreSQL
"""
