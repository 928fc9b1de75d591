"""What a new process waits for: imports, and the first derivative with an empty and with a filled cache."""
