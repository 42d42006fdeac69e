"""Floor 3, the outside: one file per outside thing."""
