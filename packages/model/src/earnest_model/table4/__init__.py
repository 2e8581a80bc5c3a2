"""The variants of the data that Table 4 compares."""
