"""Runs in MicroPython, too: plain functions and plain asserts."""

from shared_schema.metrics import KINDS
from shared_schema.records import IDENTITY, ROW_FIELDS, columns_of


def test_every_upload_begins_with_what_every_row_has():
    row_names = tuple([field.name for field in ROW_FIELDS])
    for kind in KINDS:
        assert columns_of(kind) == row_names + kind.field_names


def test_no_kind_repeats_a_column_of_the_row():
    for kind in KINDS:
        assert len(set(columns_of(kind))) == len(columns_of(kind)), kind.name


def test_identity_travels_with_every_row():
    for kind in KINDS:
        for name in IDENTITY:
            assert name in columns_of(kind)
