"""The command `earnest`: its root, its common words and the commands that every installation has."""
