"""Writes the catalogues."""

from scripts.translations import LANGUAGES, PARTS, encode, path, updated

for _part in PARTS:
    for _language in LANGUAGES:
        path(_part, _language).write_bytes(encode(updated(_part, _language)))
