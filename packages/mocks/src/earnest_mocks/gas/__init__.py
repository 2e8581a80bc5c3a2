"""Hot gas in a sphere: its density profile, what it emits, and the sizes and distances that both refer to."""
