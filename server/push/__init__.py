"""What connected clients are sent unasked, and the messages between clients and operators.

pusher         reads what has changed, and pushes it to the subscriptions of this process
subscriptions  what one connection follows, and what has been pushed to it
messages       messages, connected clients, booking states: the SQL statements, typed
"""
