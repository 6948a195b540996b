"""Plays an extended dialogue, as the terminal does, on a server in this process."""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from busware.server.conversation import Ask, Call, Context, Show, begin
from busware.server.protocol import Caller


@dataclass
class Played:
    """The questions of a dialogue with the choices of each, its texts, and the replies that it showed."""

    questions: list[str] = field(default_factory=list)
    choices: list[list[str]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    shown: list[Any] = field(default_factory=list)


Play = Callable[..., Played]


@pytest.fixture
def play(server: SimpleNamespace) -> Play:
    """A function that begins a dialogue by a line, and answers its questions with the other lines."""

    def play(line: str, *answers: str, last_phone: str | None = None) -> Played:
        played, remaining = Played(), list(answers)
        today = server.tcp.now().date
        dialogue = begin(line, Context(today=today, extended=True, last_phone=last_phone))
        while (step := dialogue.step) is not None:
            match step:
                case Ask():
                    played.questions.append(step.prompt)
                    played.choices.append([choice.text for choice in step.choices])
                    if not remaining:
                        return played
                    dialogue.answer(remaining.pop(0))
                case Call(request):
                    answer = server.operations.perform(request, Caller())
                    dialogue.replied(
                        answer.refusal()
                        if answer.refused
                        else msgspec.json.decode(answer.body, type=request.reply)
                    )
                case Show():
                    played.shown.append(step.reply)
                    dialogue.shown()
                case _:
                    played.texts.append(step.text)
                    dialogue.shown()
        assert not remaining
        return played

    return play
