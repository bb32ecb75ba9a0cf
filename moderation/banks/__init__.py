"""Banks of known images: keeping them, matching against them, and walking the archive when they grow."""
