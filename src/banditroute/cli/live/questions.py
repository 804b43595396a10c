"""Prompts for a very small model, each with a pattern that a right answer has."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """One prompt: its task class, its text, and a regular expression that the answer is searched for."""

    task: str
    text: str
    right: str

    def quality(self, answer: str) -> float:
        """1 where the pattern is found, else 0: crude, but it needs no judge."""
        return float(re.search(self.right, answer, re.IGNORECASE) is not None)


_SCHEDULE = (
    "The library opens at nine on weekdays and at ten on Saturdays. It is closed on Sundays. "
    "Books can be returned at any hour through the slot beside the door."
)
_LETTER = (
    "Dear Ms Lund, the heating in flat 4 has not worked since Tuesday. Please send somebody before the weekend. "
    "Yours, Amir Haddad."
)

QUESTIONS: tuple[Question, ...] = (
    Question("qa", "What is the capital of France?", r"\bparis\b"),
    Question("qa", "Which planet do we live on?", r"\bearth\b"),
    Question("qa", "How many days does a week have?", r"\b(7|seven)\b"),
    Question("qa", "What colour is the sky on a clear day?", r"\bblue\b"),
    Question("qa", "What do bees make?", r"\bhoney\b"),
    Question("arithmetic", "What is 2 + 2? Answer with the number.", r"\b(4|four)\b"),
    Question("arithmetic", "What is 10 minus 3? Answer with the number.", r"\b(7|seven)\b"),
    Question("arithmetic", "What is 6 times 7? Answer with the number.", r"\b(42|forty-two)\b"),
    Question("arithmetic", "What is half of 50? Answer with the number.", r"\b(25|twenty-five)\b"),
    Question("summary", f"Sum up in one sentence: {_SCHEDULE}", r"library"),
    Question("summary", f"Sum up in one sentence: {_LETTER}", r"heating"),
    Question("extraction", f"On which day is the library closed? {_SCHEDULE}", r"\bsundays?\b"),
    Question("extraction", f"Who wrote this letter? {_LETTER}", r"\bamir\b"),
    Question("extraction", f"Which flat is cold? {_LETTER}", r"\b(4|four)\b"),
    Question("code", "Write a Python function that adds two numbers.", r"def \w+\("),
    Question("code", "Write a Python loop that prints the numbers from 1 to 3.", r"\b(for|while)\b"),
    Question("code", "Which Python function gives the length of a list?", r"\blen\b"),
    Question("translation", "Translate into French: good morning", r"\bbonjour\b"),
    Question("translation", "Translate into Spanish: thank you", r"\bgracias\b"),
    Question("writing", "Write one sentence about the sea.", r"\b(sea|ocean|waves?|water)\b"),
)
