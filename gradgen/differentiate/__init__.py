"""Graph to graph: reverse mode, forward mode, batching. All from the ops' records, all closed under repetition."""
