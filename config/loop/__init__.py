"""The experiment that shows whether the loop learns: labelled pictures go through the real product, an oracle reviews,
heads are retrained round by round, and what they are worth is measured on pictures nobody learnt from.

It drives the product as outsiders do, over HTTP and by management commands; every house it opens is its own.
"""
