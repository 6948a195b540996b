"""The plain-text face of one connection: a line in, lines out, a conversation between them.

A question is a line of its own, without a prompt that would stand before the next answer: people
read it, and their scripts look for whole lines. A client's thread calls `line` for each line it
reads; requests are carried out there and then. Knows no socket: tcp sends what comes back.
"""

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import msgspec

from busware.server.conversation import END, Ask, Call, Conversation, Dialogue, Failed, Show, Tell, clean_text
from busware.server.protocol import Answer, Refusal, Request
from busware.server.tcp import plain_replies

STOPPED = "STOPPED"
_KEYS = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O[A-Za-z])")  # arrows, and others that edit nothing here
_BACKSPACES = "\x08\x7f"  # the keys that take a character back


class PlainText:
    """One connection's conversations.

    perform: carries a request out; raises Refusal or RequestFailed. now: the time, on the traveller's clock.
    """

    def __init__(self, perform: Callable[[Request], Answer], now: Callable[[], datetime]) -> None:
        self._perform = perform
        self._now = now
        self._conversation = Conversation(today=self._today)
        self._dialogue: Dialogue | None = None
        self.ended = False  # the traveller has said so

    def line(self, line: bytes) -> bytes:
        """What is to be sent after this line of the traveller."""
        typed = readable(line)
        if typed.strip().lower() in END:
            self.close()
            self.ended = True
            return _sent([STOPPED])
        if self._dialogue is not None:
            self._dialogue.answer(typed)
            return _sent(self._run(self._dialogue))
        begun = self._conversation.begin(typed)
        if isinstance(begun, str):
            return _sent([clean_text(begun)])
        self._dialogue = begun
        return _sent(self._run(begun))

    def close(self) -> None:
        """The traveller is gone: what was held for them is given up."""
        if self._dialogue is None:
            return
        for request in self._dialogue.abandon():
            self._call(request)
        self._dialogue = None

    def _run(self, dialogue: Dialogue) -> list[str]:
        """Carry steps out up to the next question, and give what is to be told."""
        said: list[str] = []
        while (step := dialogue.step) is not None:
            match step:
                case Ask():
                    said.append(step.prompt)
                    return said
                case Call():
                    dialogue.replied(self._call(step.request))
                case Show():
                    said.append(step.brief or plain_replies.reply(step.reply, self._now(), step.yours))
                    dialogue.shown()
                case Tell():
                    if not step.aside:  # what is wrong is one line, for scripts that read it
                        said.append(step.text if step.problem else plain_replies.wrapped(step.text))
                    dialogue.shown()
                    if step.last:
                        self.ended = True
                        self.close()
                        return said
        self._dialogue = None
        return said

    def _call(self, request: Request) -> Any:
        """The reply to a request, or what came of it instead."""
        try:
            answer = self._perform(request)
        except Refusal as refusal:
            return refusal
        except RequestFailed as fault:
            return Failed(str(fault))
        return answer.refusal() if answer.refused else msgspec.json.decode(answer.body, type=request.reply)

    def _today(self) -> date:
        return self._now().date()


class RequestFailed(Exception):
    """A request failed inside the server; request_id finds it in the log."""

    def __init__(self, request_id: str) -> None:
        super().__init__(f"Something went wrong inside the server (request {request_id}).")
        self.request_id = request_id


def readable(line: bytes) -> str:
    """What was typed: without what was rubbed out, what keys such as arrows send, and control characters."""
    typed: list[str] = []
    for key in _KEYS.sub("", line.decode(errors="replace")):
        if key not in _BACKSPACES:
            typed.append(key)
        elif typed:
            typed.pop()
    return clean_text("".join(typed).replace("\t", " "))


def _sent(said: list[str]) -> bytes:
    return "".join(f"{text}\n" for text in said).encode()
