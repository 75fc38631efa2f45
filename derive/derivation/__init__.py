"""What follows: graphs, the chain rule, values and the steps in order."""
