"""Hand-made features, label-free, and the registry that names them."""
