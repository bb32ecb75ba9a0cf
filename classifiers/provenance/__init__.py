"""Where an image says it comes from: content credentials (C2PA), XMP and EXIF, and what its generator wrote into it.

A file's word about itself proves little, and its silence nothing; where it contradicts what was declared, a person
looks.
"""
