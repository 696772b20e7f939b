from shared_schema.limits import TEXT_LENGTH
from shared_schema.text import CUT_MARK, clean_text


def test_text_becomes_one_printable_line():
    assert clean_text("  a\r\n\tb\x00c\x1b[0m \x7f\u2028d\u202ee ") == "a b c [0m d e"


def test_letters_of_any_language_stay():
    assert clean_text("Pegel überhöht · уровень · 水位") == "Pegel überhöht · уровень · 水位"


def test_half_a_character_has_no_place_in_a_row():
    assert clean_text("a" + chr(0xD800) + "b") == "a b"


def test_long_text_is_cut_and_marked():
    assert clean_text("x" * TEXT_LENGTH) == "x" * TEXT_LENGTH
    assert clean_text("x" * (TEXT_LENGTH + 1)) == "x" * (TEXT_LENGTH - 1) + CUT_MARK
    assert clean_text("abcdef", 4) == "abc" + CUT_MARK
