"""Laurel as a service: everything with a clock, socket, row, secret or page.

Each part of the domain is one package. Packages import downhill only, in the order of ARCHITECTURE.md.
`credentials` never learns of this package.
"""
