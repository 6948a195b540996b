"""The conversations on the ports for one dialogue (setting `ports`).

They serve small programs that know one dialogue only. A client that waits gets the first question. If a
client sends a message first, the message answers that question.
"""

from collections.abc import Callable
from datetime import datetime

from busware.server.conversation import COMMANDS, Step
from busware.server.protocol import Answer, Refusal, Request, Say
from busware.server.tcp.plain_text import PlainText, RequestFailed


class RepeatedDialogue(PlainText):
    """A dialogue that begins again when it has ended. command: the line that begins it.

    While the first question is open, a command such as `status` begins another dialogue.
    """

    def __init__(
        self,
        command: str,
        perform: Callable[[Request], Answer],
        now: Callable[[], datetime],
        log_error: Callable[[str], RequestFailed],
    ) -> None:
        super().__init__(perform, now, log_error)
        self._command = command
        self._first_question: Step | None = None

    def open(self) -> bytes:
        """The first question."""
        return self._reply(self._ask)

    @property
    def _is_idle(self) -> bool:
        return self._dialogue is None or self._dialogue.step is self._first_question

    def _converse(self, typed: str, texts: list[str]) -> None:
        if self._dialogue is None:
            self._ask(texts)
            if self._dialogue is None:  # it has ended with an error, before its first question
                return
            texts.pop()  # the question, which this message answers
        if self._is_idle and typed.partition(" ")[0].lower() in COMMANDS:
            self._begin(typed, texts)
        else:
            super()._converse(typed, texts)
        if self._dialogue is None and not self.ended:
            self._ask(texts)

    def _ask(self, texts: list[str]) -> None:
        """Begin the dialogue; append the texts to send, up to its first question."""
        self._begin(self._command, texts)
        self._first_question = self._dialogue.step if self._dialogue else None


class Chat(PlainText):
    """Messages to the operators. There is no question and no confirmation: every reply is an operator's."""

    operator = ""

    _is_idle = False  # "bye" is a message

    def open(self) -> bytes:
        """Nothing."""
        return b""

    def _converse(self, typed: str, texts: list[str]) -> None:
        if typed:
            reply = self._call(Say(text=typed))
            if isinstance(reply, Refusal):
                texts.append(reply.message)
