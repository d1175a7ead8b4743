"""The image's first start: what the owner wrote on the boot partition is taken, and every start is made so.

`take` reads the partition and keeps what it took on the data partition; `apply` makes the running slot so; `grow` lets the
data partition fill the card. Needs Python 3.11 or newer and python3-yaml, and nothing of edge/.
"""
