"""What outputs say of where they come from."""

from earnest_common.run.provenance import emulated


def test_what_is_emulated_in_one_of_two_says_in_which():
    assert emulated(catalogs=None, training=None) is None
    assert emulated(catalogs="A", training="A") == "A"
    assert emulated(catalogs="A", training="B") == "in these catalogs: A; in training: B"
    assert emulated(catalogs="A", training=None) == "in these catalogs: A"
