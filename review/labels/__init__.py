"""What people decided, as labels to learn from: read by columns, sifted at one door, told as rows of the manifest.

    reading → door → deriving → tables → writing

An approval says that nothing the classifiers look for is there: label 0 for every category scored. A block says what is
there: label 1 for the categories named, and nothing about the others, which the reviewer did not judge.
"""
