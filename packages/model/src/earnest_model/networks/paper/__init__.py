"""The network of the paper: an encoder over rows of one catalog (section 3.1, Table 3)."""
