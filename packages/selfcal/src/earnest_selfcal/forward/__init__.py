"""The forward model: number of clusters and distribution of Y_X for each sigma8 (section 5.2.1)."""
