"""Nouns of the compiler: types, sizes, graphs, their checker and their text."""
