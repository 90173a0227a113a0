"""What people read: languages, catalogues, sentences and cleaned names.

English stands in the code and the templates and is its own key. It must not know where a sentence is shown.
"""
