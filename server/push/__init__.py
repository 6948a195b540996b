"""Pushes to connected clients, and the messages between clients and operators.

pusher         reads what has changed, and pushes it to the subscriptions of this process
subscriptions  what a connection follows, and what was pushed to it
messages       messages, clients and bookings: a method for each SQL statement
"""
