"""Seeing no more than one must: what is kept from whom, how images are shown, and who saw what for how long.

Nothing here claims to protect anybody: what the studies found of blur and greyscale conflicts. These are means that
people choose for themselves, within what the organisation sets; and a record, so that it can be measured.
"""
