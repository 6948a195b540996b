"""The TCP server: a thread for each client.

server         accepts connections, drains them    connection   one client: bytes in, lines out
outbox         what waits to be sent to a client   telnet       what telnet negotiates
plain_text     the conversation of one connection  plain_replies  replies as plain text
"""
