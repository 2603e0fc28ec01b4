"""Pictures: decoding, auditing, finding and cropping faces, and the store that methods read."""
