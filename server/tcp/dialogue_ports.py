"""The conversations on the ports for one dialogue (setting `ports`).

They serve small programs that know one dialogue only. A client that waits gets the first question. If a
client sends a message first, the message answers that question.
"""

from collections.abc import Callable
from datetime import datetime

from busware.server.conversation import HELP, Dialogue, command_named_by, find_help
from busware.server.protocol import Answer, Refusal, Request, Say, clean_text
from busware.server.push.messages import Message
from busware.server.tcp.plain_text import PlainText, RequestFailed

CHAT_HELP = "Type a message to the operators. Their answers appear here. To leave, type STOP."


class RepeatedDialogue(PlainText):
    """A dialogue that begins again when it has ended. command: the line that begins it.

    While the first question is open, a command such as `status` begins another dialogue.
    """

    repeats = True

    def __init__(
        self,
        command: str,
        perform: Callable[[Request], Answer],
        now: Callable[[], datetime],
        log_error: Callable[[str], RequestFailed],
    ) -> None:
        super().__init__(perform, now, log_error)
        self._command = command
        self._repeated: Dialogue | None = None  # the last one that `_ask` has begun

    def open(self) -> bytes:
        """The first question."""
        return self._reply(self._ask)

    @property
    def _is_idle(self) -> bool:
        dialogue = self._dialogue
        return dialogue is None or (dialogue is self._repeated and dialogue.at_first_question)

    def _converse(self, typed: str, texts: list[str]) -> None:
        if self._is_idle and self._is_command(typed):
            texts += self.close()
            if typed.lower() != self._command:  # else the question is asked again
                self._begin(typed, texts)
        else:
            if self._is_idle and (commands := find_help(typed)):
                texts.append(commands)
                typed = HELP  # also explain the question
            if self._dialogue is None:
                self._ask(texts)
                if self._dialogue is None:  # the texts say why it cannot begin
                    return
                texts.pop()  # the question, which this message answers
            super()._converse(typed, texts)
        if self._dialogue is None and not self.ended:
            self._ask(texts)

    def _is_command(self, typed: str) -> bool:
        """Whether a line at the first question is a command.

        A synonym of the repeated dialogue's own command is an answer: `book` at the question of `bus`.
        """
        command = command_named_by(typed)
        return bool(command) and (command != self._command or " " in typed or typed.lower() == command)

    def _ask(self, texts: list[str]) -> None:
        """Begin the dialogue; append the texts to send, up to its first question.

        If its first request is refused for now, the dialogue ends, and the next message begins it again. The
        refusal is only added if `texts` is empty: "nothing was done" would be wrong after a ticket.
        """
        beginning: list[str] = []
        self._begin(self._command, beginning)
        self._repeated = self._dialogue
        if self._dialogue is not None and not self._dialogue.at_first_question:
            self.close()
            beginning = [] if texts else beginning[:-1]  # without the question whether to try again
        texts += beginning


class Chat(PlainText):
    """Messages to the operators. There is no question and no confirmation: every reply is an operator's.

    The server itself answers only an empty line before the first message, with CHAT_HELP.
    """

    _is_idle = False  # "bye" is a message
    _has_message = False  # the client has sent one

    def open(self) -> bytes:
        """Nothing."""
        return b""

    def message(self, message: Message) -> list[str]:
        """The message alone."""
        return [clean_text(message.body)]

    def _converse(self, typed: str, texts: list[str]) -> None:
        if not typed:
            texts += [] if self._has_message else [CHAT_HELP]
        else:
            self._has_message = True
            reply = self._call(Say(text=typed))
            if isinstance(reply, Refusal):
                texts.append(reply.message)
