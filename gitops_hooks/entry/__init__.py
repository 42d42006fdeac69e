"""Floor 4, one module per process; environment, stdin, clock and config are read here."""
