"""Writes the catalogues."""

from scripts.translations import LANGUAGES, encode, path, updated

for _language in LANGUAGES:
    path(_language).write_bytes(encode(updated(_language)))
