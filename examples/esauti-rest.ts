import { createEsauti, toContactFields } from '@sluice/esauti'
import { startInstance } from '@sluice/esauti/testing'

// The REST half of eSauti's SDK. Without an instance of your own it meets a small one in memory.
const { ESAUTI_URL, ESAUTI_TOKEN } = process.env
await using instance = ESAUTI_URL ? null : await startInstance({ token: 'YOUR_BEARER_TOKEN' })
const client = createEsauti({
  baseUrl: ESAUTI_URL ?? `${instance?.url}/api`,
  token: ESAUTI_TOKEN ?? 'YOUR_BEARER_TOKEN',
  timeoutMs: 30_000,
  maxRetries: 3,
})

// List contacts
const contacts = await client.api.contacts.list({ limit: 10 })
console.log(`${contacts.items.length} of ${contacts.total} contacts`)

// Create a contact
const contact = await client.api.contacts.create({ firstname: 'Jane', email: 'jane@esauti.com' })
console.log(`contact ${contact.id}:`, toContactFields(contact).email)

// Put it where it belongs
const segment = await client.api.segments.create({ name: 'Friends', alias: 'friends' })
await client.api.segments.addContact(segment.id, contact.id)
const { items } = await client.api.contacts.segments(contact.id)
console.log(`in ${items.map(({ name }) => name).join(', ')}`)

// Go through all of them
let known = 0
for await (const { id } of client.api.contacts.iterate({ search: 'jane@esauti.com' })) known += id > 0 ? 1 : 0
console.log(`${known} known by that address`)

// Leave no trace
await client.api.contacts.delete(contact.id)
await client.api.segments.delete(segment.id)
await client.api.contacts.get(contact.id).catch((error: unknown) => console.log(String(error)))
