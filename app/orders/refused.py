"""Refused: what may not be done to a request or a return (now); nothing was changed."""

from __future__ import annotations


class Refused(ValueError):
    """`code` names why for programs, `sentence` for people."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code, self.sentence = code, sentence
