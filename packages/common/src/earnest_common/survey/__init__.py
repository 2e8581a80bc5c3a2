"""Survey physics: cosmology, mass function, scaling relations, selection, priors and the survey presets."""
