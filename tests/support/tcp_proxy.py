"""The road between a server under test and PostgreSQL."""

import select
import socket
import threading
from contextlib import suppress

import psycopg


class TcpProxy:
    """A road to PostgreSQL that can be cut, that can lose an answer, and that can hold answers up."""

    def __init__(self, url):
        self._to = psycopg.conninfo.conninfo_to_dict(url)
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = self._listener.getsockname()[1]
        self.url = url.replace(f":{self._to['port']}/", f":{port}/")
        self.drops_replies = False
        self.held_replies = None  # what has come from PostgreSQL since it is held up
        self._open = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def stop(self):
        """Break every connection, and let nobody through any more."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self.break_connections()

    def break_connections(self):
        """The client sees the end at once; the server only when it wants to answer."""
        for near, _ in list(self._open):
            with suppress(OSError):  # it has broken by itself
                near.shutdown(socket.SHUT_RDWR)

    def hold_replies(self):
        """Let nothing come from PostgreSQL, until `release_replies`."""
        self.held_replies = bytearray()

    def release_replies(self):
        """Let through, on the one connection that is open, what was held up: all at once."""
        held, self.held_replies = self.held_replies, None
        ((near, _),) = self._open
        near.sendall(held)

    def restart(self):
        port = self._listener.getsockname()[1]
        self._listener.close()
        self._listener = socket.create_server(("127.0.0.1", port))
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self):
        self.stop()
        self._listener.close()

    def _accept(self):
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection((self._to["host"], int(self._to["port"])))
            self._open.append((near, far))
            threading.Thread(target=self._carry, args=(near, far), daemon=True).start()

    def _carry(self, near, far):
        other = {near: far, far: near}
        broken = False
        with suppress(OSError):  # it has broken with something under way
            while not broken:
                for end in select.select([near, far], [], [])[0]:
                    data = end.recv(65536)
                    broken = broken or not data or (end is far and self.drops_replies)
                    if end is far and self.held_replies is not None:
                        self.held_replies += data
                    elif not broken:
                        other[end].sendall(data)
        self.drops_replies = False
        self._open.remove((near, far))
        near.close()
        far.close()
