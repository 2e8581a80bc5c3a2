"""The terse value: what it follows, and how well it measures mass (section 5.3)."""
