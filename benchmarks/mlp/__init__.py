"""Training steps of a multilayer perceptron: problem.py states them, by_hand.py and frameworks.py run them."""
