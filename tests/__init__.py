"""The tests, as one package, so that two folders may hold a file of one name."""
