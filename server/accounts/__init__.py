"""Accounts, sessions, and rate limits for failed credentials.

sessions   registration, login, tokens          passwords    Argon2id, few hashes at once
operators  command line for operator accounts   rate_limits  rate limits for failed credentials
"""
