"""Executes requests (operations) and checks the caller's role (permissions), for TCP and HTTP."""
