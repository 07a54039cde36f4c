"""What the server refuses, as boto3 tells it."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from botocore.exceptions import ClientError


@contextmanager
def refused(code: str, status: int) -> Iterator[None]:
    """The block ends with this error. An answer without a body has its status for a code."""
    with pytest.raises(ClientError) as caught:
        yield
    response = caught.value.response
    got = (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"])
    assert got == (code, status), caught.value
