"""The subcommand `shards`.

command   lists the shards, adds new ones, and moves a virtual shard
"""
