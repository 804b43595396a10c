"""What kind each character is."""

import pytest

from banditroute.prompts.characters import Kind, characters_of, codes_of


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("aZé", [Kind.latin] * 3),
        ("Жя", [Kind.cyrillic] * 2),
        ("مر", [Kind.arabic] * 2),
        ("हिन्दी", [Kind.devanagari] * 6),  # its marks belong to it
        ("ひカ", [Kind.kana] * 2),
        ("한", [Kind.hangul]),
        ("漢\U00020000", [Kind.han] * 2),
        ("ไ", [Kind.letter]),
        ("7٣", [Kind.digit] * 2),
        (" \u00a0\t", [Kind.space] * 3),
        ("\n", [Kind.newline]),
        ("(]", [Kind.bracket] * 2),
        ("?？؟", [Kind.question] * 3),
        (".。،", [Kind.stop] * 3),
        ("=_", [Kind.operator] * 2),
        ('"«', [Kind.quote] * 2),
        ("🙂", [Kind.symbol]),
        ("\ud800\x00", [Kind.symbol, Kind.other]),
    ],
)
def test_every_script_and_sign_has_its_kind(text: str, kinds: list[Kind]) -> None:
    assert [Kind(kind) for kind in characters_of(codes_of(text)).kinds] == kinds


def test_all_digits_and_all_spaces_are_alike() -> None:
    assert characters_of(codes_of("a1\t٣🙂")).plain.tolist() == [ord("a"), ord("0"), ord(" "), ord("0"), ord("🙂")]


def test_nothing_has_no_kinds() -> None:
    assert characters_of(codes_of("")).kinds.size == 0
