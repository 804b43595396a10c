"""What PostgreSQL's text cannot hold."""

from __future__ import annotations

from banditroute.errors import InputError


def check_texts(**texts: str) -> None:
    """Makes sure that texts that stand in columns of their own can be written.

    Raises:
        InputError: one has a character of number 0, or is no Unicode.
    """
    for field, text in texts.items():
        if "\0" in text:
            raise InputError("PostgreSQL cannot keep a character of number 0", field=field)
        if not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError as error:
                raise InputError(f"not valid Unicode at character {error.start}", field=field) from None
