"""A connection of the TCP server, and its thread: reads lines, executes them, and sends the replies.

The thread handles one line at a time, so replies have the order of the requests. The first byte of a line
selects the format: { or [ is JSON-RPC (server/protocol/jsonrpc.py), any other is plain text
(server/tcp/plain_text.py). Pushes (server/push/pusher.py) have the format of the client's last line.
"""

import logging
import math
import secrets
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import Protocol

import msgspec
from msgspec import Raw

from busware.server.booking.operations import Operations
from busware.server.conversation.words import change_line
from busware.server.protocol import Answer, Booking, Caller, Refusal, Request, Say, clean_text, jsonrpc
from busware.server.push.messages import Message
from busware.server.push.pusher import Pusher
from busware.server.push.subscriptions import Subscription
from busware.server.settings import Settings
from busware.server.tcp.dialogue_ports import Chat, RepeatedDialogue
from busware.server.tcp.lines import JSON, Lines
from busware.server.tcp.plain_text import PlainText, RequestFailed
from busware.server.tcp.proxy_protocol import HeaderError, read_header
from busware.server.tcp.send_buffer import SendBuffer
from busware.server.tcp.telnet import Telnet
from busware.server.tls import TlsSocket

log = logging.getLogger("busware.tcp")

_CHUNK_BYTES = 16 * 1024  # limit of one recv
_GOOD_BYE = b"Server: I am going down now. Good-bye.\n"


class Server(Protocol):
    """What a connection uses of its server."""

    settings: Settings
    operations: Operations
    pusher: Pusher
    tls: ssl.SSLContext | None
    draining: bool
    now: Callable[[], datetime]

    def admit(self, connection: "Connection") -> bool:
        """Count a connection for its address. False: its address has too many, and it was refused."""

    def remove(self, connection: "Connection") -> None:
        """Remove a connection that has ended."""


class Connection:
    """A connection and its thread.

    number: unique in this process. address: host and port of the client; behind a balancer, those of the
    balancer until its PROXY header is read. protocol: of the last line, text or json; empty before the first
    line. dialogue: the one of the port; empty on the port for all dialogues.
    """

    def __init__(
        self,
        server: Server,
        client: socket.socket,
        number: int,
        address: str,
        dialogue: str,
    ) -> None:
        self.number = number
        self.address = address
        self.name = f"client {number} ({address})"
        self.protocol = ""
        self.thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._server = server
        self._dialogue = dialogue
        self._subscription = Subscription(self, server.settings.watched_bookings)
        self._plain = client
        self._socket = client if server.tls is None else TlsSocket(client, server.tls)
        self._send_buffer = SendBuffer(self.name, self._socket, server.settings.outbox_bytes)
        self._caller = Caller(address=address.rpartition(":")[0])
        self._receive_seconds = 0.0  # SO_RCVTIMEO, after the handshake
        self._line_count = 0
        self._log_level = logging.INFO  # of the two log lines about its beginning and its end
        self._text: PlainText | None = None  # the conversation, after the first line of plain text
        self._check_due = False  # after the reply, the pusher has to check the subscription
        self._stopped = False  # the server has ended the connection, because it shuts down
        self._ended = False  # True: the requests that remain release holds, which is allowed while draining

    @property
    def host(self) -> str:
        """The address of the client without the port."""
        return self._caller.address

    @property
    def account(self) -> str | None:
        """The account that is signed in."""
        return self._caller.account

    def stop_reading(self) -> None:
        """End the connection after the current reply, as if the client had ended it."""
        self._stopped = True
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RD)

    def disconnect(self) -> None:
        """Close the connection at once."""
        self._send_buffer.shut_down()

    def refuse(self, refusal: Refusal) -> None:
        """Close the connection. Without TLS, first send a refusal, which is no reply to a request."""
        line = jsonrpc.encode_refusal(jsonrpc.NO_ID, refusal)
        if self._dialogue:
            line = f"{refusal.message}\n".encode()
        with suppress(OSError):
            if self._socket is self._plain:
                self._plain.send(line, socket.MSG_DONTWAIT)
                self._plain.shutdown(socket.SHUT_WR)
        self._plain.close()

    def _run(self) -> None:
        try:
            self._set_options()
            if self._server.settings.is_tcp_proxy(self.host):
                self._read_address()
            if self._server.admit(self):
                self._serve_client()
        except HeaderError as error:
            log.warning("%s was closed: %s", self.name, error)
        except OSError as error:
            log.debug("%s was lost (%s)", self.name, error)
        finally:
            self._server.remove(self)
            self._send_buffer.close()

    def _serve_client(self) -> None:
        log.log(self._log_level, "%s connected", self.name)
        self._server.pusher.subscribe(self._subscription)
        why = "left"
        try:
            self._handshake()
            self._serve()
        except BlockingIOError:
            why = "was disconnected: it sent nothing for idle_seconds"
        except OSError as error:
            why = f"was lost ({error})"
        finally:
            self._ended = True
            self._server.pusher.unsubscribe(self._subscription)
            self._end_conversation()
            log.log(self._log_level, "%s %s after %d lines", self.name, why, self._line_count)

    def _end_conversation(self) -> None:
        """Undo what the conversation has not finished. Send the outcome, which a client may still read."""
        lines = [f"{text}\n".encode() for text in self._text.close()] if self._text else []
        if self._stopped and self.protocol == "text":
            lines.append(_GOOD_BYE)
        if lines and not self._send_buffer.is_shut_down:
            with suppress(OSError):
                self._send_buffer.send(b"".join(lines))

    def _set_options(self) -> None:
        settings, tcp = self._server.settings, self._plain
        tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)  # telnet sends urgent data
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _timeval(settings.send_seconds))
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, settings.outbox_bytes)
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _timeval(settings.send_seconds))

    def _read_address(self) -> None:
        """Read the address of the client from the header that a balancer sends. Raises OSError."""
        try:
            address = read_header(self._plain.recv)
        except BlockingIOError:
            raise HeaderError("its PROXY header did not arrive within send_seconds") from None
        if address is None:
            self._log_level = logging.DEBUG  # a health check of the balancer, every few seconds
        else:
            self.address = address
            self.name = self._send_buffer.name = f"client {self.number} ({address})"
            self._caller = Caller(address=address.rpartition(":")[0])

    def _handshake(self) -> None:
        """Do the TLS handshake, if this is a connection with TLS. Raises OSError."""
        if isinstance(self._socket, TlsSocket):
            try:
                self._socket.handshake()
            except BlockingIOError:
                raise TimeoutError("the TLS handshake waited for the client for send_seconds") from None

    def _serve(self) -> None:
        if self._dialogue:  # its clients get pushes before their first line
            self._text = self._new_conversation()
            self._set_protocol("text")
            self._check_if_due()
        for line in self._received():
            self._send_buffer.reminder = b""  # the line answers the question
            if reply := self._answer(line):
                self._send_buffer.send(reply, self._reminder)
            self._check_if_due()
            if self._text is not None and self._text.ended:
                return

    def _received(self) -> Iterator[bytes | None]:
        """The lines and messages of the client.

        On a port for one dialogue, the first is None if the client is silent: it expects the first question.
        """
        settings = self._server.settings
        telnet, lines = Telnet(), Lines(settings.max_line_bytes, one_dialogue=bool(self._dialogue))
        is_opening = bool(self._dialogue)  # the client has sent nothing, and was asked nothing
        while True:
            message_waits = lines.ends_by_silence and not telnet.negotiated
            silence_counts = is_opening or message_waits
            try:
                chunk = self._receive(settings.silence_ms / 1000 if silence_counts else settings.idle_seconds)
            except BlockingIOError:
                if not silence_counts:
                    raise
                yield None if is_opening else lines.end_message()
                is_opening = False
                continue
            if not chunk:
                break
            data, telnet_reply = telnet.read(chunk)
            if telnet_reply:
                self._send_buffer.send(telnet_reply)
            is_opening = is_opening and not data
            yield from lines.feed(data)
        if (rest := lines.take_rest()) and self._ended_by_client():
            yield rest

    def _receive(self, seconds: float) -> bytes:
        """Receive a chunk; b"" at the end of the stream. Raises BlockingIOError after this time."""
        if seconds != self._receive_seconds:
            self._receive_seconds = seconds
            self._plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _timeval(seconds))
        return self._socket.recv(_CHUNK_BYTES)

    def _ended_by_client(self) -> bool:
        """Whether the stream was ended by the client, not by this server or a broken connection."""
        truncated = isinstance(self._socket, TlsSocket) and self._socket.truncated
        return not (truncated or self._server.draining or self._send_buffer.is_shut_down)

    def _check_if_due(self) -> None:
        """Let the pusher check the subscription, if that is due."""
        if self._check_due:
            self._check_due = False
            self._server.pusher.schedule_check(self._subscription)

    # Replies -----------------------------------------------------------------------------------

    def _answer(self, line: bytes | None) -> bytes:
        """The reply to a line; empty if it has none. line: None for the first lines of the conversation."""
        if line is None:
            return self._text.open() if self._text else b""
        self._line_count += 1
        settings = self._server.settings
        if self._dialogue or not line.startswith(JSON):
            return self._answer_text(line)
        self._set_protocol("json")
        if len(line) > settings.max_line_bytes:
            return jsonrpc.encode_too_long(settings.max_line_bytes)
        parsed = jsonrpc.parse(line, settings.max_rpc_batch)
        if isinstance(parsed, list):
            return jsonrpc.encode_batch([self._reply(member) for member in parsed])
        return self._reply(parsed)

    def _reply(self, incoming: jsonrpc.Incoming | bytes) -> bytes:
        """The reply to a request; bytes are a reply already."""
        if isinstance(incoming, bytes):
            return incoming
        try:
            return jsonrpc.encode_reply(incoming.id, self._perform(incoming.request))
        except Refusal as refusal:
            return jsonrpc.encode_refusal(incoming.id, refusal)
        except RequestFailed as error:
            return jsonrpc.encode_internal_error(incoming.id, error.request_id)

    def _answer_text(self, line: bytes) -> bytes:
        """The reply to a line of plain text. Empty lines between JSON are ignored."""
        if self._text is None:
            if self.protocol == "json" and not line:
                return b""
            self._text = self._new_conversation()
        self._set_protocol("text")
        if len(line) > self._server.settings.max_line_bytes:
            return b"The line is too long: at most %d bytes.\n" % self._server.settings.max_line_bytes
        return self._text.handle_line(line)

    def _new_conversation(self) -> PlainText:
        """The plain text of this connection."""
        parts = self._perform, self._server.now, self._log_error
        match self._dialogue:
            case "" | "text":
                return PlainText(*parts)
            case "chat":
                return Chat(*parts)
            case command:
                return RepeatedDialogue(command, *parts)

    def _set_protocol(self, protocol: str) -> None:
        if self.protocol != protocol:
            self.protocol = protocol
            self._check_due = True

    def _perform(self, request: Request) -> Answer:
        """Execute a request. Raises Refusal or RequestFailed."""
        if self._server.draining and not self._ended:
            raise Refusal("draining", "The server is shutting down: nothing was done, try again.")
        answer = None
        self._subscription.begin_request(request)
        try:
            answer = self._server.operations.perform(request, self._caller_of(request))
            if answer.caller is not None:
                self._sign_in(answer.caller)
            return answer
        except Refusal:
            raise
        except Exception as error:
            raise self._log_error(request.method) from error
        finally:
            self._check_due |= self._subscription.end_request(request, answer)

    def _log_error(self, what: str) -> RequestFailed:
        """Log the exception that is being handled; return it as an error with a request id."""
        request_id = secrets.token_hex(4)
        log.exception(
            "request %s of %s failed: %s", request_id, self.name, what, extra={"request_id": request_id}
        )
        return RequestFailed(request_id)

    def _caller_of(self, request: Request) -> Caller:
        """The caller of a request. For a message, it has the connection too, so that operators can reply."""
        if not isinstance(request, Say):
            return self._caller
        connection = self._subscription.client(self._server.pusher.process_no)
        return msgspec.structs.replace(self._caller, connection=connection)

    def _sign_in(self, caller: Caller) -> None:
        self._caller = caller
        if caller.account is not None:
            self._subscription.sign_in(caller.account)
        self._check_due = True

    @property
    def _reminder(self) -> bytes:
        """The line that repeats the open question after pushed lines; empty if there is none."""
        question = self._text.question if self._text and self.protocol == "text" else ""
        return f"The question is still open: {question}\n".encode() if question else b""

    # Called by the pusher's thread ---------------------------------------------------------------

    def push_message(self, message: Message) -> None:
        """Send a message of an operator."""
        if self.protocol == "text" and self._text:
            self._send_buffer.push("".join(f"{line}\n" for line in self._text.message(message)).encode())
        else:
            params = {
                "text": message.body, "from": message.sender, "at": message.at,
                "message_id": message.message_id, "bus_id": message.bus_id,
                "travel_date": message.travel_date, "boarding_date": message.boarding_date,
            }  # fmt: skip
            self._send_buffer.push(jsonrpc.encode_notification("message", Raw(msgspec.json.encode(params))))

    def push_booking(self, booking: Booking, raw: Raw) -> None:
        """Send a booking that has changed."""
        if self.protocol == "text":
            lines = [clean_text(change_line(booking, machine=True))]
            lines += self._text.about_change(booking) if self._text else []
            self._send_buffer.push("".join(f"{line}\n" for line in lines).encode())
        else:
            self._send_buffer.push(jsonrpc.encode_notification("booking_changed", raw))


def _timeval(seconds: float) -> bytes:
    """A duration as the struct timeval of a socket option."""
    fraction, whole = math.modf(seconds)
    return struct.pack("@ll", int(whole), int(fraction * 1_000_000))
