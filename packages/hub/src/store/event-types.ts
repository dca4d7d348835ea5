import type { EventTypeMode, UnknownEventTypes } from '@sluice/protocol'

/**
 * Definitions of event types. Each change of a workspace's counts up the `eventTypesRevision` of its row, which is cached at most 500 ms:
 * whoever remembers definitions by that number feels a change within a second on every node, and asks nothing while it stays.
 */
export type EventTypes = {
  /** Those of these names that exist, in no order. Not cached. */
  find(workspaceId: number, names: readonly string[]): Promise<EventTypeRow[]>
  /** By name. */
  list(workspaceId: number, page: { after: string; limit: number; category?: string }): Promise<EventTypeRow[]>
  /** Newest first. */
  listVersions(workspaceId: number, name: string, limit: number): Promise<EventTypeVersionRow[]>
  /**
   * Makes and changes event types: all, or none if one of them is not at the revision that its caller has seen. A schema that
   * comes with a new version is kept among the versions.
   */
  save(workspaceId: number, changes: readonly EventTypeChange[]): Promise<boolean>
  /** With its versions. Answers false if there was none. */
  remove(workspaceId: number, name: string): Promise<boolean>
  setUnknown(workspaceId: number, unknown: UnknownEventTypes): Promise<void>
}

type EventTypeContent = {
  readonly name: string
  readonly description: string | null
  /** JSON text */
  readonly schema: string | null
  readonly category: string | null
  readonly entity: string | null
  readonly action: string | null
  readonly mode: EventTypeMode
  /** counts the changes of the schema; 0 without one */
  readonly version: number
}

export type EventTypeRow = EventTypeContent & {
  /** that of the workspace when it was changed last; no two states of a name have the same */
  readonly revision: number
  readonly createdMs: number
  readonly updatedMs: number
}

export type EventTypeChange = EventTypeContent & {
  /** its revision as the caller has seen it; 0: there was none */
  readonly expects: number
}

export type EventTypeVersionRow = {
  readonly version: number
  readonly schema: string | null
  readonly createdMs: number
}
