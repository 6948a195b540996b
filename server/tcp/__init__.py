"""The TCP server: a thread for each client.

server      accepts connections, drains them     connection     one client: lines in, replies out
lines       splits bytes into lines, messages    telnet         answers telnet's option negotiation
plain_text  the conversation of a connection     plain_replies  replies as plain text
send_buffer sends lines to a client              dialogue_ports ports for one dialogue
proxy_protocol  the client's address from a balancer's header
"""
