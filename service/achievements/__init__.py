"""Definitions, their published versions, enrolments and pictures.

A published version never changes. The package must not know who has met it or who holds the award.
"""
