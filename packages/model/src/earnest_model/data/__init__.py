"""From catalogs to the arrays that a network is trained on (section 3.2)."""
