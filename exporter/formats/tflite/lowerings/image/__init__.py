"""Images: resizing, cropping, projective transforms, colours."""
