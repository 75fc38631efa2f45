"""SymPy behind the tree: derivatives, rules, proofs."""
