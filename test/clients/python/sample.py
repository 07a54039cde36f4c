"""Bytes and names to store."""

import random

MEBIBYTE = 2**20

# What a URL, an XML document, a header or a path could mangle.
ODD_KEYS = (
    "a key with spaces ",
    "plus+plus and space",
    "100%25 of 50%",
    "double//slash///three",
    "/leading slash",
    "trailing slash/",
    "up/../and/./down",
    "../outside",
    "emoji \U0001f389 and \u00e9",
    "line\nbreak\ttab",
    "quotes \" and ' and `",
    "<xml> & ]]> entities &amp;",
    "question?mark#hash;semi&and=equals",
    "brackets[]{}()|\\^~*!$,:@",
    "\U0010ffff after \ue000",
)

NOT_PRINTABLE = "\U0010ffff after \ue000"

# Those of them that can be names of files, in a tree of directories.
ODD_FILES = (
    "a file with spaces ",
    "plus+plus and space",
    "100%25 of 50%",
    "emoji \U0001f389 and \u00e9/in a directory",
    "quotes \" and ' and `",
    "<xml> & ]]> entities &amp;",
    "question?mark#hash;semi&and=equals",
    "brackets[]{}()|^~*!$,:@",
    NOT_PRINTABLE,
    "deep/er/and/deeper",
)


def sample_bytes(size_bytes: int, seed: int = 1) -> bytes:
    """Bytes without a pattern, the same for the same seed."""
    return random.Random(seed).randbytes(size_bytes)
