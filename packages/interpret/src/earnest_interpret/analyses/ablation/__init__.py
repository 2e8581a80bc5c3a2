"""What the terse value is worth: the scatter of sigma8 when the encoder's inputs are exchanged or held constant."""
