"""Signs requests with botocore: one JSON object a line in, one a line out."""

import datetime
import json
import sys

try:
    import botocore.auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
except ImportError:
    sys.exit(42)


def signed(given):
    now = datetime.datetime.fromtimestamp(given["seconds"], datetime.timezone.utc)

    class Frozen(datetime.datetime):
        @classmethod
        def utcnow(cls):
            return now.replace(tzinfo=None)

        @classmethod
        def now(cls, tz=None):
            return now if tz else now.replace(tzinfo=None)

    class Module:
        datetime = Frozen
        timezone = datetime.timezone

    # Older botocore reads the clock here, newer ones through a function of their own.
    botocore.auth.datetime = Module if hasattr(botocore.auth.datetime, "datetime") else Frozen
    if hasattr(botocore.auth, "get_current_datetime"):
        botocore.auth.get_current_datetime = lambda remove_tzinfo=True: (
            now.replace(tzinfo=None) if remove_tzinfo else now
        )
    credentials = Credentials(given["accessKeyId"], given["secret"], given.get("token"))
    request = AWSRequest(
        method=given["method"],
        url=given["url"],
        headers=given["headers"],
        data=bytes.fromhex(given["body"]),
    )
    where = (given["service"], given["region"])
    if given["expires"] is None:
        auth = botocore.auth.S3SigV4Auth(credentials, *where)
    else:
        auth = botocore.auth.S3SigV4QueryAuth(credentials, *where, expires=given["expires"])
    if not given["payloadSigned"]:
        request.context["payload_signing_enabled"] = False
    auth.add_auth(request)
    return {"url": request.url, "headers": dict(request.headers.items())}


for line in sys.stdin:
    print(json.dumps(signed(json.loads(line))), flush=True)
