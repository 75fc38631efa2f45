"""Worksheets for a class: a problem with [vary] becomes as many different sheets as there are students."""
