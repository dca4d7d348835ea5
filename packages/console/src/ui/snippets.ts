import type { Event } from '@sluice/client/admin'

/** What a publisher sends: the members that are the hub's own are left out. */
export function toNewEvent(event: Event): Record<string, unknown> {
  const {
    event_id: _id,
    timestamp: _timestamp,
    attempt: _attempt,
    cloudevent: _rest,
    payload_base64: _bytes,
    ...sent
  } = event
  return { ...sent, payload: sent.payload ?? {} }
}

const quote = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`

/** Programs that publish an event. @param url of the hub. @param key as it stands in the text; `$SLUICE_API_KEY` where it is not known */
export function toCurl(event: Record<string, unknown>, url: string, key = '$SLUICE_API_KEY'): string {
  const bearer = key.startsWith('$') ? `"Authorization: Bearer ${key}"` : `'Authorization: Bearer ${key}'`
  return [
    `curl -X POST ${url}v1/events \\`,
    `  -H ${bearer} \\`,
    `  -H 'Content-Type: application/json' \\`,
    `  -d ${quote(JSON.stringify(event))}`,
  ].join('\n')
}

export function toTypeScript(event: Record<string, unknown>, url: string): string {
  const { event_type: type, payload, ...rest } = event
  const more = Object.keys(rest).length === 0 ? '' : `, ${JSON.stringify(rest, null, 2)}`
  return `import { createSluice } from '@sluice/client'

const sluice = createSluice({ baseUrl: '${url}', apiKey: process.env.SLUICE_API_KEY })
await sluice.events.send(${JSON.stringify(type)}, ${JSON.stringify(payload, null, 2)}${more})
`
}

/** The event stands in a raw string: JSON is not Python, and never has three quotes in a row. */
export function toPython(event: Record<string, unknown>, url: string): string {
  return `import json, os, urllib.request

event = json.loads(r"""${JSON.stringify(event, null, 2)}""")
request = urllib.request.Request(
    "${url}v1/events",
    data=json.dumps(event).encode(),
    headers={"Authorization": "Bearer " + os.environ["SLUICE_API_KEY"], "Content-Type": "application/json"},
)
print(urllib.request.urlopen(request).read().decode())
`
}
