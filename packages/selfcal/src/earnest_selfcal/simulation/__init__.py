"""The same by direct simulation of surveys."""
