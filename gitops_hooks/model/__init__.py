"""Floor 1, the nouns: frozen values, standard library only."""
