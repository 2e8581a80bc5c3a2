"""Leave-one-out: the change of sigma8 without a cluster, or without a group of them (section 5.1)."""
