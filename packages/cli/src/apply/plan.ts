import { isDeepStrictEqual } from 'node:util'
import { ApiError } from '@sluice/client'
import type { Admin } from '@sluice/client/admin'
import type { Members } from './kinds.ts'
import type { Item } from './read-file.ts'

export type Step = Item & {
  readonly change: 'create' | 'change' | 'same'
  /** the members that differ */
  readonly changed: Members
  /** why it cannot be done */
  readonly fault?: string
}

/** What has to be done so that the hub is as the items say. Changes nothing, and removes nothing ever. */
export async function makePlan(admin: Admin, items: readonly Item[]): Promise<Step[]> {
  const steps: Step[] = []
  for (const item of items) steps.push(toStep(item, await find(admin, item)))
  return steps
}

async function find(admin: Admin, { kind, key }: Item): Promise<Members | undefined> {
  try {
    return await kind.get(admin, key)
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined
    throw error
  }
}

function toStep(item: Item, current: Members | undefined): Step {
  if (!current) return { ...item, change: 'create', changed: item.wanted }
  const { kind, wanted } = item
  const shown = Object.entries(wanted).filter(([name]) => !kind.hidden?.has(name))
  const differing = shown.filter(([name, value]) =>
    kind.whole.has(name) ? !isDeepStrictEqual(value, current[name]) : !isCovered(value, current[name]),
  )
  if (differing.length === 0) return { ...item, change: 'same', changed: {} }
  const changed = Object.fromEntries(differing)
  const fixed = differing.flatMap(([name]) => (Object.hasOwn(kind.fixed, name) ? `${name}: ${kind.fixed[name]}` : []))
  return { ...item, change: 'change', changed, ...(fixed.length > 0 && { fault: fixed.join('; ') }) }
}

/** A hub fills in what is left out, and never shows secrets: those are taken to be the same. */
function isCovered(wanted: unknown, current: unknown): boolean {
  if (!isMembers(wanted) || !isMembers(current)) return isDeepStrictEqual(wanted, current)
  return Object.entries(wanted).every(([name, value]) =>
    Object.hasOwn(current, name) ? isCovered(value, current[name]) : /secret|password/.test(name),
  )
}

const isMembers = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
