"""Accepting guidelines: who has, who has not, and what follows from a new version.

An acceptance is evidence like any other. It must not let anybody accept for somebody else.
"""
