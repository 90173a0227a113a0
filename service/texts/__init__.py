"""The words that people read: languages, catalogues, sentences and cleaned names.

English is written in the code and the templates, and is the key of each translation. This package must not know where a
sentence is shown.
"""
