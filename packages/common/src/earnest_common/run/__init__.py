"""How commands run: what they leave behind when they are killed, and how they go on."""
