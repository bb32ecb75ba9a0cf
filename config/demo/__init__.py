"""The demo: a whole working desk on one machine, and the proof that its circle closes."""
