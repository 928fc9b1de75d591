"""Graph -> loop program: what is stored, which loops are joined, where buffers lie."""
