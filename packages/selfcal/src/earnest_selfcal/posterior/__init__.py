"""From counts and a median to the posterior of sigma8."""
