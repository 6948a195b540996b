"""Webhooks: events are sent to the URLs of operators, by the specification Standard Webhooks.

targets    what a URL leads to, and whether webhooks may go there
post       one HTTPS request within limits
carrier    the carrier of the outbox: signs an event, sends it, and says what becomes of the delivery
"""
