"""Images: resizing, cropping, patches, projective transforms, colours."""
