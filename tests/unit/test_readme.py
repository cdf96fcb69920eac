"""The README says what the code does."""

from bench import record
from rig import reference


def test_its_table_of_properties_is_that_of_the_code() -> None:
    text = reference.README.read_text()
    assert reference.inserted(text) == text, "run: make reference"


def test_its_measurements_are_those_that_were_kept() -> None:
    text = record.README.read_text()
    assert record.inserted(text, record.read()) == text, "run: make bench"
