"""Graph to graph: constants folded, algebra simplified, and what the backward pass keeps."""
