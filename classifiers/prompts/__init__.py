"""Prompt screening: words a picture was asked for, read through disguises, against term editions and a learnt model.

``folding`` and ``readings`` make text comparable and keep the way back to the original; ``editions`` is the file of
terms, ``terms`` the signal over it; ``grams`` and ``learnt`` the trained one.
"""
