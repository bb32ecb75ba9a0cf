"""What people found in lots drawn with stored chances, as unbiased figures of all images, with intervals."""
