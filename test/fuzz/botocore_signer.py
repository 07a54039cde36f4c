"""Signs requests with botocore: one JSON object a line in, one a line out. Ends with 42 without it."""

import json
import sys

try:
    import botocore.auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
except ImportError:
    sys.exit(42)


def signed(given):
    credentials = Credentials(given["accessKeyId"], given["secret"], given.get("token"))
    expires = given.get("expires")
    request = AWSRequest(
        method=given["method"],
        url=given["url"],
        headers=given["headers"],
        # A presigner takes the fields of a body for parameters.
        data=given["body"].encode() if expires is None else b"",
    )
    if expires is None:
        auth = botocore.auth.S3SigV4Auth(credentials, "s3", given["region"])
    else:
        auth = botocore.auth.S3SigV4QueryAuth(credentials, "s3", given["region"], expires=expires)
    auth.add_auth(request)
    return {"url": request.url, "headers": dict(request.headers.items())}


for line in sys.stdin:
    print(json.dumps(signed(json.loads(line))), flush=True)
