"""The HTTP face: Litestar on uvicorn, in a thread of its own, on the same structs and operations.

  server     starts and drains it           protocol   limits on heads, and on how long they take
  app        paths → handlers               resources  a request of the wire ↔ the parts of one of HTTP
  door       who asks, and carrying it out  problems   refusals as RFC 9457 has them
  events     streams of what changes        hotel      the hotel's own door
  openapi    the description at /schema     examples   of every request and reply
  page       the description for people

Every method of the wire is a resource (`Request.resource`); the handlers, the description and the client
(client/web.py) are made from that alone.
"""

from server.web.server import WebServer

__all__ = ["WebServer"]
