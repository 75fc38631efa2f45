"""Mistakes, made by rule from a derivation: each exchanges the definitions that somebody got wrong."""

from derive.check.mistakes.make import mutants

__all__ = ["mutants"]
