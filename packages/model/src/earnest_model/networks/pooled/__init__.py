"""The default network: an encoder of single clusters, and a sum over them."""
