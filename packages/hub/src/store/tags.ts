import { randomInt } from 'node:crypto'
import { tagSpace } from '@sluice/protocol/event-id'
import type { WorkspaceRow } from './store.ts'

/** A workspace as both stores keep it. */
export type WorkspaceColumns = Omit<WorkspaceRow, 'earlierTags' | 'quotas'> & {
  readonly earlierTags: string
  readonly quotas: string
}

export function toWorkspaceRow({ earlierTags, quotas, ...columns }: WorkspaceColumns): WorkspaceRow {
  return { ...columns, earlierTags: JSON.parse(earlierTags), quotas: JSON.parse(quotas) }
}

/** A workspace as it begins. */
export function toNewWorkspace(made: Pick<WorkspaceRow, 'id' | 'key' | 'tag' | 'createdMs'>): WorkspaceRow {
  return { ...made, earlierTags: [], unknownEventTypes: 'allow', quotas: {}, eventTypesRevision: 0 }
}

type Tags = Pick<WorkspaceRow, 'tag' | 'earlierTags'>

/** Events up to the head keep the tags that their ids have; those to come get a new one. */
export function toRenewedTags({ tag, earlierTags }: Tags, head: number): Tags {
  const isUsed = head > (earlierTags.at(-1)?.[0] ?? 0)
  const renewed = isUsed ? [...earlierTags, [head, tag] as const] : earlierTags
  const known = new Set([tag, ...renewed.map(([, earlier]) => earlier)])
  let fresh = randomInt(tagSpace)
  while (known.has(fresh)) fresh = randomInt(tagSpace)
  return { tag: fresh, earlierTags: renewed }
}
