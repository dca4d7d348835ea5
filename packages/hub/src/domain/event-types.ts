import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  EventTypeName,
  HubError,
  toValidationError,
  type EventType,
  type EventTypeMode,
  type EventTypeSaved,
  type EventTypesImported,
  type EventTypeWithVersions,
  type Fault,
  type ImportEventTypes,
  type PutEventType,
} from '@sluice/protocol'
import type { EventTypeRow } from '../store/event-types.ts'
import { noteDeed, type Caller } from './audit.ts'
import type { Context, Workspace } from './context.ts'
import { openKey } from './cursors.ts'
import { newSchemaOf, planChange, type Plan } from './event-types/plan-change.ts'
import { readImport, type Imported } from './event-types/read-import.ts'
import { toPage, type Page, type PageRequest } from './page.ts'
import { toIso } from './to-wire.ts'

function toWire({
  name,
  description,
  schema,
  category,
  entity,
  action,
  mode,
  version,
  ...row
}: EventTypeRow): EventType {
  return {
    name,
    description,
    schema: schema === null ? null : JSON.parse(schema),
    category,
    entity,
    action,
    mode,
    version,
    created_at: toIso(row.createdMs),
    updated_at: toIso(row.updatedMs),
  }
}

/** By name. */
export async function listEventTypes(
  { store, cursors }: Context,
  workspace: Workspace,
  { limit, cursor, category }: PageRequest & { readonly category?: string | undefined },
): Promise<Page> {
  const scope = `${workspace.id}/event-types/${category ?? ''}`
  const after = openKey(cursors, scope, cursor)
  const page = { after, limit: limit + 1, ...(category !== undefined && { category }) }
  const rows = await store.eventTypes.list(workspace.id, page)
  return toPage({
    cursors,
    scope,
    limit,
    rows,
    placeOf: ({ name }) => name,
    print: (row) => JSON.stringify(toWire(row)),
  })
}

const shownVersions = 100

/** @throws HubError `not-found` */
export async function showEventType(
  { store }: Context,
  workspace: Workspace,
  name: string,
): Promise<EventTypeWithVersions> {
  const row = await requireEventType(store, workspace, name)
  const versions = await store.eventTypes.listVersions(workspace.id, name, shownVersions)
  return {
    ...toWire(row),
    versions: versions.map(({ version, schema, createdMs }) => ({
      version,
      schema: schema === null ? null : JSON.parse(schema),
      created_at: toIso(createdMs),
    })),
  }
}

async function requireEventType(store: Context['store'], workspace: Workspace, name: string): Promise<EventTypeRow> {
  const [row] = await store.eventTypes.find(workspace.id, [name])
  if (!row) throw new HubError('not-found', `event type "${name.slice(0, 255)}" does not exist`)
  return row
}

export type PutOrder = { readonly name: string; readonly wanted: PutEventType; readonly allowIncompatible: boolean }

/**
 * Makes an event type, or changes what the request gives and leaves the rest.
 *
 * @throws HubError `validation-error` for a schema that cannot be used, `incompatible-schema` for one that refuses more than before
 */
export async function putEventType(
  context: Context,
  caller: Caller,
  { name, wanted, allowIncompatible }: PutOrder,
): Promise<EventTypeSaved> {
  const checked = EventTypeName.safeParse(name)
  if (!checked.success)
    throw toValidationError(checked.error.issues.map(({ message }) => ({ pointer: 'path.name', detail: message })))
  const one: Imported = { wanted: { ...wanted, name }, pointer: '', schemaPointer: '/schema' }
  const [plan] = await save(context, caller.workspace, { imported: [one], allowIncompatible, dryRun: false })
  if (!plan) throw new Error('an event type was left out')
  if (plan.change) {
    const verb = plan.kind === 'new' ? 'event-type.create' : 'event-type.update'
    const details = { version: plan.version, mode: plan.change.mode, change: plan.kind }
    await noteDeed(context, caller, { verb, target: name, details })
  }
  const row = await requireEventType(context.store, caller.workspace, name)
  return { ...toWire(row), change: plan.kind, incompatible: [...plan.incompatible] }
}

export type ImportOrder = {
  readonly body: ImportEventTypes
  readonly allowIncompatible: boolean
  readonly dryRun: boolean
  readonly mode: EventTypeMode | undefined
}

/**
 * Makes and changes many event types: all, or none.
 *
 * @throws HubError `validation-error` naming every fault, `incompatible-schema` naming every one, unless it is a dry run
 */
export async function importEventTypes(
  context: Context,
  caller: Caller,
  { body, ...order }: ImportOrder,
): Promise<EventTypesImported> {
  const imported = readImport(body)
  const plans = await save(context, caller.workspace, { imported, ...order })
  const results = plans.map(({ kind, version, mode, incompatible }, index) => ({
    name: imported[index]?.wanted.name ?? '',
    change: kind,
    version,
    mode,
    incompatible: [...incompatible],
  }))
  if (!order.dryRun && plans.some(({ change }) => change)) {
    const details = Object.fromEntries(
      [...Map.groupBy(plans, ({ kind }) => kind)].map(([kind, of]) => [kind, of.length]),
    )
    await noteDeed(context, caller, { verb: 'event-types.import', target: 'event-types', details })
  }
  return { dry_run: order.dryRun, results }
}

type SaveOrder = {
  readonly imported: readonly Imported[]
  readonly allowIncompatible: boolean
  readonly dryRun: boolean
  readonly mode?: EventTypeMode | undefined
}

/** Somebody else may change one of them in between: then it is looked at anew. */
const maxTries = 5

async function save({ store }: Context, workspace: Workspace, order: SaveOrder): Promise<Plan[]> {
  const { imported, allowIncompatible, dryRun, mode } = order
  const names = imported.map(({ wanted }) => wanted.name)
  for (let tries = 0; tries < maxTries; tries += 1) {
    const before = new Map((await store.eventTypes.find(workspace.id, names)).map((row) => [row.name, row]))
    await refuseSchemas(imported, before)
    const plans = imported.map(({ wanted }) => planChange(before.get(wanted.name), wanted, mode))
    if (dryRun) return plans
    if (!allowIncompatible) refuseIncompatible(imported, plans)
    const changes = plans.flatMap(({ change }) => change ?? [])
    if (changes.length === 0 || (await store.eventTypes.save(workspace.id, changes))) return plans
  }
  throw new HubError('conflict', 'others are changing the same event types; send it again')
}

/** The compiler is loaded with the first schema, as for publishing; others have their turn between two schemas. */
async function refuseSchemas(imported: readonly Imported[], before: ReadonlyMap<string, EventTypeRow>): Promise<void> {
  const faults: Fault[] = []
  for (const { wanted, schemaPointer: at } of imported) {
    const newSchema = newSchemaOf(before.get(wanted.name), wanted)
    if (!newSchema) continue
    const { findSchemaFaults } = await import('./event-types/compile-schema.ts')
    faults.push(...findSchemaFaults(newSchema).map(({ pointer, detail }) => ({ pointer: at + pointer, detail })))
    await nextTurn()
  }
  if (faults.length > 0) throw toValidationError(faults)
}

const printed = 10
const maxErrors = 200

function refuseIncompatible(imported: readonly Imported[], plans: readonly Plan[]): void {
  const errors = plans.flatMap(({ incompatible }, index) =>
    incompatible.map(({ pointer, detail }) => ({ pointer: `${imported[index]?.schemaPointer}${pointer}`, detail })),
  )
  if (errors.length === 0) return
  const names = plans.flatMap(({ kind }, index) => (kind === 'incompatible' ? [imported[index]?.wanted.name] : []))
  const of = names.slice(0, printed).join(', ') + (names.length > printed ? ` and ${names.length - printed} more` : '')
  const faults = errors.slice(0, printed).map(({ pointer, detail }) => `${pointer} ${detail}`)
  const words = `${of} may refuse payloads that were right before: ${faults.join('; ')}`
  throw new HubError('incompatible-schema', words, { errors: errors.slice(0, maxErrors), details: { names } })
}

/** With its versions; events stay. @throws HubError `not-found` */
export async function deleteEventType(context: Context, caller: Caller, name: string): Promise<void> {
  const { store } = context
  await requireEventType(store, caller.workspace, name)
  await store.eventTypes.remove(caller.workspace.id, name)
  await noteDeed(context, caller, { verb: 'event-type.delete', target: name })
}
