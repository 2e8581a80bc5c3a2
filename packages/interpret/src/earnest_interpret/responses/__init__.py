"""What a model answers: sigma8, terse values, gradients, and sigma8 without each cluster."""
