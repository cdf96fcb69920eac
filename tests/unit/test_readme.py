"""The README says what the code does."""

from rig import reference


def test_its_table_of_properties_is_that_of_the_code() -> None:
    text = reference.README.read_text()
    assert reference.inserted(text) == text, "run: make reference"
