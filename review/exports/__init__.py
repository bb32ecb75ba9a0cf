"""Data sets in the making: asked for at a door, made by a worker that may die at any moment, fetched file by file."""
