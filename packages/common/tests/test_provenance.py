"""What outputs say of where they come from."""

from earnest_common.run.provenance import synthetic_note


def test_what_is_emulated_in_one_of_two_says_in_which():
    assert synthetic_note(catalogs=None, training=None) is None
    assert synthetic_note(catalogs="A", training="A") == "A"
    assert synthetic_note(catalogs="A", training="B") == "in these catalogs: A; in training: B"
    assert synthetic_note(catalogs="A", training=None) == "in these catalogs: A"
