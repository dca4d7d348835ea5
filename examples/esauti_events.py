"""What the event side of eSauti's SDKs puts on the wire, for a Sluice hub, with nothing but Python's standard library.

Calls, envelope, header fields, signature and retries are those of the SDK. One thing is added: a client that signs and has
no token names its key in X-Sluice-Key-Id. Run it against a hub:

    SLUICE_URL=http://127.0.0.1:8000 SLUICE_API_KEY=slk_... SLUICE_HMAC_SECRET=sls_... python3 examples/esauti_events.py
"""

import hashlib
import hmac
import json
import os
import random
import sys
import time
import urllib.error
import urllib.request
import uuid
from datetime import datetime, timezone


class ApiError(Exception):
    """The hub answered, and the answer was no success."""

    def __init__(self, status, body):
        super().__init__(f"{status}: {body['error']['message']}")
        self.status = status
        self.body = body


class TransportError(Exception):
    """No answer came."""


class EventValidationError(Exception):
    """The envelope is no event; nothing was sent."""


class EsautiClient:
    def __init__(
        self,
        base_url,
        token=None,
        hmac_secret=None,
        key_id=None,
        timeout=30.0,
        max_retries=3,
        events_endpoint="/api/integrations/events",
        source="sdk",
    ):
        self.base_url = base_url.rstrip("/")
        self.token = token
        self.hmac_secret = hmac_secret
        self.key_id = key_id
        self.timeout = timeout
        self.max_retries = max_retries
        self.events_endpoint = events_endpoint
        self.source = source

    def send(self, type, identity=None, data=None, source=None, entity=None, external_event_id=None, idempotency_key=None):
        """The receipt of one event. Every attempt carries the same Idempotency-Key."""
        envelope = build(type, source or self.source, identity, data, entity, external_event_id)
        return self.post(self.events_endpoint, envelope, idempotency_key)

    def identify(self, identity, **extra):
        return self.post("/api/integrations/identify", {"identity": identity, **extra}, None)

    def post(self, path, value, idempotency_key):
        body = json.dumps(value).encode()
        fields = {
            "Content-Type": "application/json",
            "Idempotency-Key": idempotency_key or str(uuid.uuid4()),
            "X-Request-Id": str(uuid.uuid4()),
            "X-eSauti-Source": self.source,
        }
        for attempt in range(self.max_retries + 1):
            if attempt > 0:
                print("trying again", file=sys.stderr, flush=True)
                time.sleep(random.uniform(0, min(0.2 * 2**attempt, 2)))
            status, answer = self.attempt(path, body, {**fields, **self.credentials(path, body)})
            if status < 300:
                return answer
            if status not in (408, 429) and status < 500:
                break
        raise ApiError(status, answer)

    def credentials(self, path, body):
        fields = {}
        if self.token is not None:
            fields["Authorization"] = f"Bearer {self.token}"
        if self.hmac_secret is not None:
            timestamp = str(int(time.time()))
            base = f"POST\n{path}\n{timestamp}\n".encode() + body
            digest = hmac.new(self.hmac_secret.encode(), base, hashlib.sha256).hexdigest()
            fields["X-eSauti-Timestamp"] = timestamp
            fields["X-eSauti-Signature"] = f"sha256={digest}"
        if self.key_id is not None:
            fields["X-Sluice-Key-Id"] = self.key_id
        return fields

    def attempt(self, path, body, fields):
        request = urllib.request.Request(self.base_url + path, body, fields, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=self.timeout) as response:
                return response.status, json.loads(response.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())
        except (urllib.error.URLError, TimeoutError) as error:
            raise TransportError(str(error)) from error


def build(type, source, identity, data, entity, external_event_id):
    if "." not in type:
        raise EventValidationError(f"Invalid event type: {type}")
    envelope = {
        "type": type,
        "occurred_at": datetime.now(timezone.utc).isoformat(),
        "source": source,
        "properties": data or {},
        "customer": identity,
        "entity": entity,
        "external_event_id": external_event_id,
    }
    return {name: value for name, value in envelope.items() if value is not None}


def main(story):
    url, token = os.environ["SLUICE_URL"], os.environ["SLUICE_API_KEY"]
    if story == "one":
        print("stored", EsautiClient(url, token=token).send("order.created")["event_id"])
        return
    secret = os.environ["SLUICE_HMAC_SECRET"]
    key_id = token.split("_")[1]
    clients = {
        "bearer": EsautiClient(url, token=token),
        "bearer and signature": EsautiClient(url, token=token, hmac_secret=secret),
        "signature": EsautiClient(url, hmac_secret=secret, key_id=key_id),
    }
    for name, client in clients.items():
        receipt = client.send(
            "customer.created",
            identity={"id": "cus_123", "email": "jane@example.org"},
            data={"status": "active"},
            source="my-app",
        )
        print(f"{name}: {receipt['status']} {receipt['received']}")
    client = clients["bearer"]
    first = client.send("order.paid", {"id": "cus_123"}, {"value": 99.99}, idempotency_key="order-7-paid")
    again = client.send("order.paid", {"id": "cus_123"}, {"value": 99.99}, idempotency_key="order-7-paid")
    print("under one key:", first["status"], again["status"], first["event_id"] == again["event_id"])
    for number in range(2):
        receipt = client.send("form.submitted", data={"form": 3}, external_event_id="submission-9")
        print("with one external id:", receipt["status"])
    print("identified:", client.identify({"email": "jane@example.org", "customer": "cus_123"}, page="/pricing"))
    wrong = EsautiClient(url, token=token, hmac_secret="another")
    try:
        wrong.send("order.created")
    except ApiError as error:
        print("refused:", error)
    try:
        client.send("created")
    except EventValidationError as error:
        print("not sent:", error)


def run(arguments):
    if arguments not in ([], ["one"]):
        sys.exit("usage: esauti_events.py [one]")
    for name in ("SLUICE_URL", "SLUICE_API_KEY", *([] if arguments else ["SLUICE_HMAC_SECRET"])):
        if not os.environ.get(name):
            sys.exit(f"set {name}; `sluice keys create --user-id shop --role publisher --hmac` prints a key and its secret")
    try:
        main(*arguments or ["all"])
    except TransportError as error:
        sys.exit(f"no answer from {os.environ['SLUICE_URL']}: {error}")
    except ApiError as error:
        sys.exit(f"the hub refused the request with {error}")


if __name__ == "__main__":
    run(sys.argv[1:])
