"""What bc-events 0.4.0 puts on the wire, for a Sluice hub, with nothing but Python's standard library.

Requests, chunks, answers and retries are that client's; topics and their schemas are left out. Run it against a hub:

    SLUICE_URL=http://127.0.0.1:8000 SLUICE_API_KEY=slk_... python3 examples/bc_events.py
"""

import base64
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

RETRYABLE = ("ProvisionedThroughputExceededException", "InternalFailureException")
CHUNK = 250


class RetryError(Exception):
    """Two seconds of attempts were not enough; the last failure is its cause."""


class EventClient:
    """One for each process. `api_url` is the only place where a key can stand: as the user name, with a colon after it."""

    def __init__(self, api_url):
        self.publish_url = api_url + "/events"
        self.publish_bulk_url = api_url + "/events/bulk/"

    def publish(self, event, job_id):
        return with_retries(lambda: post(self.publish_url, event, {"x-britecore-job-id": job_id}), answer_of)

    def publish_bulk(self, events):
        """Answers the reasons of what was refused for good."""
        refused = []
        waiting = list(events)

        def attempt():
            return post(self.publish_bulk_url, waiting, {})

        def judge(status, body):
            nonlocal waiting
            answer_of(status, body)
            if status != 201 or body["failedRecords"] == 0:
                return body
            again = [event for event, result in zip(waiting, body["records"]) if result in RETRYABLE]
            refused.extend(result for result in body["records"] if result not in RETRYABLE + ("Success",))
            # As that client does: another request follows even if nothing is left to send.
            waiting = again
            raise Retry()

        with_retries(attempt, judge)
        return refused


class EventSession:
    """One for each web request: what is published waits until `flush`."""

    def __init__(self, client, actor_id, actor_type, job_id):
        self.client = client
        self.actor = {"id": actor_id, "type": actor_type}
        self.job_id = job_id
        self.events = []

    def publish(self, action, entity, data, category):
        self.events.append(
            {"action": action, "category": category, "entity": entity, "data": data, "actor": self.actor}
        )

    def flush(self):
        events, self.events = self.events, []
        if len(events) <= 5:
            return [self.client.publish(event, self.job_id) for event in events]
        chunks = [events[start : start + CHUNK] for start in range(0, len(events), CHUNK)]
        return [reason for chunk in chunks for reason in self.client.publish_bulk(chunk)]


class Retry(Exception):
    """Raised by a judge of answers."""


def answer_of(status, body):
    if status in (400, 500) and body["errorType"] in RETRYABLE:
        raise Retry()
    if status in (400, 500):
        print(f"not sent again: {status} {body['errorType']}", file=sys.stderr)
    return body


def with_retries(attempt, judge):
    """Waits 0.1 s, 0.2 s, 0.4 s, then 0.5 s each; gives up when 2 s have gone by since the first attempt."""
    started = time.monotonic()
    tries = 0
    while True:
        try:
            return judge(*attempt())
        except (Retry, urllib.error.URLError, TimeoutError) as error:
            if time.monotonic() - started >= 2:
                raise RetryError() from error
        print("trying again", file=sys.stderr, flush=True)
        time.sleep(min(0.1 * 2**tries, 0.5))
        tries += 1


def post(url, body, headers):
    """Status and parsed body of any answer; a body that is no JSON raises ValueError, as there, with the text of the body."""
    parts = urllib.parse.urlsplit(url)
    address = urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    fields = {"Content-Type": "application/json", **headers}
    # Without the colon the requests library sends no credentials at all.
    if parts.username is not None and parts.password is not None:
        credentials = f"{parts.username}:{parts.password}".encode()
        fields["Authorization"] = "Basic " + base64.b64encode(credentials).decode()
    request = urllib.request.Request(address, json.dumps(body).encode(), fields, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, parsed(response.status, response.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, parsed(error.code, error.read())


def parsed(status, body):
    try:
        return json.loads(body)
    except ValueError as error:
        raise ValueError(f"{status}: {body.decode(errors='replace').strip()}") from error


def api_url(key):
    parts = urllib.parse.urlsplit(os.environ["SLUICE_URL"])
    return f"{parts.scheme}://{key}:@{parts.netloc}/dialects/briteevents"


def main(story):
    client = EventClient(api_url(os.environ["SLUICE_API_KEY"]))
    session = EventSession(client, "user-42", "user", "job-1")

    def publish(count, data=lambda number: {"number": number}):
        for number in range(count):
            session.publish(action="Created", entity="MyEntity", category="testing", data=data(number))
        return session.flush()

    if story == "one":
        print("stored", publish(1)[0]["eventId"])
        return
    print("singly:", sorted(publish(2)[0]))
    for count in (250, 600):
        print(f"{count} in bulk, refused:", publish(count))
    reasons = publish(7, lambda number: {"number": number} if number != 3 else {})
    print("of 7, refused:", reasons)
    wrong = EventSession(EventClient(api_url("slk_unknown")), "service-1", "service", "job-2")
    wrong.publish(action="Created", entity="MyEntity", category="testing", data={"a": 1})
    try:
        wrong.flush()
    except ValueError:
        print("a refused key raises")


def run(arguments):
    for name in ("SLUICE_URL", "SLUICE_API_KEY"):
        if not os.environ.get(name):
            sys.exit(f"set {name}; `npm start` prints the address of a hub and its key")
    if arguments not in ([], ["one"]):
        sys.exit("usage: bc_events.py [one]")
    try:
        main(*arguments or ["all"])
    except RetryError as error:
        sys.exit(f"no event was taken at {os.environ['SLUICE_URL']} within 2 seconds: {error.__cause__ or 'the hub is busy'}")
    except ValueError as error:
        sys.exit(f"the hub refused the request with {error}")


if __name__ == "__main__":
    run(sys.argv[1:])
