"""Rules in people's words and language, the same on the page of an achievement and on that of a receipt.

`criteria` has English sentences too: those are part of the API and of receipts, which are never written again.
"""
