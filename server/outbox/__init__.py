"""The outbox: what has to happen outside of the database, after the commit of its cause.

worker     publishes events, and carries out the rows of table outbox
command    subcommand outbox: lists, retries and discards what could not be carried out
"""
