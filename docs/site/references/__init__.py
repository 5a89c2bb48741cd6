"""The references: one module for each language."""
