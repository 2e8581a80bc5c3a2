"""The peak of the mass distribution: equations 5 and 6 for sigma8 and the mass of the peak."""
