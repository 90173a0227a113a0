"""Rules in people's words, in their language.

The page of an achievement and that of a receipt use the same ones. `criteria` has English sentences too: those are part
of the API and of receipts, which are never written again.
"""
