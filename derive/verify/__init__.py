"""The second opinion: every number of a worked example, calculated again without the derivation."""
