"""Guidelines: how they are named, what they say, how they read, and how they travel as files. The TOML files beside
these modules are the first edition.
"""
