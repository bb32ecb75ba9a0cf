"""Rules over what is known of an image, written in CEL: checked when saved, bounded when run, never milder."""
