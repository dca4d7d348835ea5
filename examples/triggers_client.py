"""A client of the Triggers API, for a Sluice hub, with nothing but Python's standard library.

The methods, their arguments, the retries and the addresses (no /v1 in front) are those of the Triggers API's sample client;
only httpx is replaced by urllib in a thread. Run it against a hub:

    SLUICE_URL=http://127.0.0.1:8000 SLUICE_API_KEY=slk_... python3 examples/triggers_client.py
"""

import asyncio
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request


class Response:
    """A whole answer: status, headers, text."""

    def __init__(self, status_code, headers, content):
        self.status_code = status_code
        self.headers = headers
        self.text = content.decode()

    def json(self):
        return json.loads(self.text)

    def raise_for_status(self):
        if not 200 <= self.status_code <= 299:
            raise HTTPStatusError(self)


class HTTPStatusError(Exception):
    """The hub answered, and the answer was no success; `response` holds it."""

    def __init__(self, response):
        super().__init__(f"{response.status_code}: {response.text}")
        self.response = response


class TriggersAPIClient:
    """Sends events, polls the inbox `default`, acknowledges. Network errors are urllib's own and are not tried again."""

    def __init__(self, api_key, base_url="http://localhost:8000"):
        self.api_key = api_key
        self.base_url = base_url.rstrip("/")

    async def close(self):
        pass

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_error):
        await self.close()

    async def send_event(self, event_type, payload, source=None, metadata=None, max_retries=3):
        """Publishes an event: event_id, timestamp, status and message. `max_retries` counts all attempts."""
        event = {"event_type": event_type, "payload": payload}
        if source:
            event["source"] = source
        if metadata:
            event["metadata"] = metadata
        for attempt in range(max_retries):
            response = await self._request("POST", "/events", body=event)
            if response.status_code == 429:
                await asyncio.sleep(int(response.headers.get("Retry-After", "60")))
                continue
            if response.status_code >= 500 and attempt < max_retries - 1:
                await asyncio.sleep(2**attempt)
                continue
            response.raise_for_status()
            return response.json()
        raise Exception("Max retries exceeded")

    async def poll_inbox(self, limit=50, cursor=None):
        """A page of what waits, oldest first: events, and pagination with next_cursor and has_more."""
        query = {"limit": limit, **({"cursor": cursor} if cursor else {})}
        response = await self._request("GET", "/events/inbox", query=query)
        response.raise_for_status()
        return response.json()

    async def acknowledge_event(self, event_id, timestamp):
        """The event is done; saying so twice does no harm."""
        response = await self._request("DELETE", f"/events/{event_id}", query={"timestamp": timestamp})
        response.raise_for_status()

    async def get_event(self, event_id, timestamp):
        """One event, acknowledged or not."""
        response = await self._request("GET", f"/events/{event_id}", query={"timestamp": timestamp})
        response.raise_for_status()
        return response.json()

    async def _request(self, method, path, query=None, body=None):
        return await asyncio.to_thread(self._request_now, method, path, query, body)

    def _request_now(self, method, path, query, body):
        url = self.base_url + path + (f"?{urllib.parse.urlencode(query)}" if query else "")
        headers = {"Authorization": f"Bearer {self.api_key}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return Response(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Response(error.code, error.headers, error.read())


SOURCE = f"triggers-client-{os.getpid()}"


async def send_simple_event(client):
    print("== Send an event")
    response = await client.send_event(
        event_type="user.signup",
        payload={"user_id": "123", "email": "user@example.com"},
        source=SOURCE,
        metadata={"ip": "192.0.2.1"},
    )
    print(f"{response['status']}: {response['event_id']} at {response['timestamp']}")
    return response


async def send_batch(client):
    print("== Send several at a time")
    events = [("user.signup", {"user_id": str(number), "email": f"user{number}@example.com"}) for number in range(12)]
    tasks = [client.send_event(event_type, payload, source=SOURCE) for event_type, payload in events]
    results = await asyncio.gather(*tasks, return_exceptions=True)
    failed = [result for result in results if isinstance(result, Exception)]
    print(f"{len(results) - len(failed)} sent, {len(failed)} failed")


async def process_all_events(client):
    """Only events of this run, so that what others have left in the inbox stays there."""
    print("== Poll page by page and acknowledge")
    cursor = None
    pages = acknowledged = 0
    while True:
        response = await client.poll_inbox(limit=5, cursor=cursor)
        pages += 1
        for event in response["events"]:
            if event.get("source") != SOURCE:
                continue
            await client.acknowledge_event(event["event_id"], event["timestamp"])
            acknowledged += 1
        if not response["pagination"]["has_more"]:
            break
        cursor = response["pagination"]["next_cursor"]
    print(f"acknowledged {acknowledged} events on {pages} pages")


async def event_worker(client, expected):
    """Polls until it has seen what it expects; a real one goes on for ever."""
    print("== Work on events as they come")
    processed = set()
    cursor = None
    while len(processed) < expected:
        try:
            response = await client.poll_inbox(limit=10, cursor=cursor)
            # Events that others left in the inbox are passed over, not acknowledged.
            cursor = response["pagination"]["next_cursor"]
            if not response["events"]:
                await asyncio.sleep(0.2)
                continue
            for event in response["events"]:
                if event.get("source") != SOURCE or event["event_id"] in processed:
                    continue
                print(f"{event['event_type']}: {event['payload']}")
                processed.add(event["event_id"])
                await client.acknowledge_event(event["event_id"], event["timestamp"])
        except OSError as error:
            print(f"no answer, trying again: {error}")
            await asyncio.sleep(1)


async def handle_errors(client, base_url, event):
    print("== Errors")
    cases = {
        "an empty event type": client.send_event(event_type="", payload={}),
        "an event that does not exist": client.get_event("nonexistent-id", "2026-01-01T00:00:00Z"),
        "a wrong key": TriggersAPIClient("slk_wrong", base_url).send_event("order.created", {"order_id": "1"}),
        "a page of 500": client.poll_inbox(limit=500),
    }
    for name, case in cases.items():
        try:
            await case
            print(f"{name}: nothing went wrong")
        except HTTPStatusError as error:
            problem = error.response.json()
            print(f"{name}: {error.response.status_code} {problem['error_code']}, {problem['message']}")
    await client.acknowledge_event(event["event_id"], event["timestamp"])
    stored = await client.get_event(event["event_id"], event["timestamp"])
    print(f"acknowledged twice, and still there: {stored['event_type']}")


async def main():
    api_key = os.getenv("SLUICE_API_KEY") or os.getenv("TRIGGERS_API_KEY")
    base_url = os.getenv("SLUICE_URL", "http://localhost:8000")
    if not api_key:
        sys.exit("set SLUICE_API_KEY to a key of the hub; `sluice keys create` makes one")
    async with TriggersAPIClient(api_key=api_key, base_url=base_url) as client:
        event = await send_simple_event(client)
        await send_batch(client)
        await process_all_events(client)
        await asyncio.gather(
            event_worker(client, expected=3),
            *[client.send_event("order.created", {"order_id": str(number)}, source=SOURCE) for number in range(3)],
        )
        await handle_errors(client, base_url, event)
    print("== Done")


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except HTTPStatusError as error:
        sys.exit(f"the hub refused the request with {error}")
    except OSError as error:
        sys.exit(f"no answer from {os.getenv('SLUICE_URL', 'http://localhost:8000')}: {error}")
