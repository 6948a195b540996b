"""Accounts, sessions, and rate limits for failed credentials.

sessions   registration, login, tokens          passwords    Argon2id, a limited number at once
operators  command line for operator accounts   rate_limits  rate limits for failed credentials
"""
