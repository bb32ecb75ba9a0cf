"""Finding submissions: what one may filter by, pages that cost the same wherever they lie, and views that are kept."""
