"""Versions measured on labels: which labels, what each version says of them, the figures, and who asked for them."""
