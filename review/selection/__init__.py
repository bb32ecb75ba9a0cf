"""Active learning: which images people are asked about so that heads learn, within a budget of its own, on record.

It costs reviewers' time that no audit gets back, so it is counted apart, and its answers are no sample: they are left
out of every estimate, or stand for themselves alone.
"""
