"""Documents of services in files, as arguments of commands."""

import argparse
import sys
from pathlib import Path

import msgspec
from msgspec import UNSET

from busware.server.protocol import ServiceData


def read_service(name: str) -> ServiceData:
    """The document of a service in a file of JSON; - is the standard input. Raises ArgumentTypeError."""
    try:
        content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        return msgspec.json.decode(content, type=ServiceData)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{name} cannot be read: {error.strerror}") from None
    except msgspec.DecodeError as error:
        raise argparse.ArgumentTypeError(f"{name} is not the JSON of a service: {error}") from None


def read_numbered_service(name: str) -> ServiceData:
    """The same for a document that must have the number of the service."""
    service = read_service(name)
    if service.bus_id is UNSET:
        raise argparse.ArgumentTypeError(f"{name} has no bus_id. To add a service: add-service")
    return service
