"""One act on everything that a search found: seen before, done in batches, undone where nobody touched it since.

It makes no decisions: nobody looked at each image, so nothing of it is a label to learn from.
"""
