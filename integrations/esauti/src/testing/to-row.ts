import type { Row } from './store.ts'

type Data = Readonly<Record<string, unknown>>

/** Members that belong to a contact itself; everything else is one of its fields. */
const own = new Set(['id', 'tags', 'owner', 'isPublished', 'overwriteWithBlank'])
const blank = { firstname: null, lastname: null, email: null, phone: null, company: null }

/** As the service would keep it. Contacts and companies have their fields in groups; tags are objects. */
export function toRow(path: string, data: Data, old: Row | undefined): Omit<Row, 'id'> {
  const base = { isPublished: true, dateAdded: '2026-01-31T12:00:00+00:00', ...old }
  if (path !== 'contacts' && path !== 'companies') return { ...base, ...data }
  const entries = Object.entries(data)
  const members = Object.fromEntries(entries.filter(([name]) => own.has(name) && name !== 'tags'))
  const before = (old?.['fields'] as { all?: Data } | undefined)?.all ?? blank // written below
  const all = { ...before, ...Object.fromEntries(entries.filter(([name]) => !own.has(name))) }
  const core = Object.fromEntries(
    Object.entries(all).map(([alias, value], index) => [
      alias,
      { id: String(index + 1), label: alias, alias, type: 'text', group: 'core', value },
    ]),
  )
  // PHP prints groups without fields as arrays.
  return { points: 0, ...base, ...members, tags: toTags(data['tags'], old), fields: { core, social: [], all } }
}

function toTags(tags: unknown, old: Row | undefined): { tag: string }[] {
  const before = (old?.['tags'] ?? []) as { tag: string }[] // written here
  if (!Array.isArray(tags)) return before
  const names = new Set(before.map(({ tag }) => tag))
  for (const tag of tags.map(String)) {
    if (tag.startsWith('-')) names.delete(tag.slice(1))
    else names.add(tag)
  }
  return [...names].map((tag) => ({ tag }))
}

/** The faults that the service would find, by field. */
export function toFaults(path: string, data: Data): Readonly<Record<string, string[]>> {
  const { email, name } = data
  if (path === 'contacts' && typeof email === 'string' && email !== '' && !email.includes('@')) {
    return { email: ['The email is invalid.'] }
  }
  return name === '' ? { name: ['A name is required.'] } : {}
}
