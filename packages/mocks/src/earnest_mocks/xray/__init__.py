"""X-ray mock observations: emulated skies, photon lists, and their reduction to gas masses and slopes."""
