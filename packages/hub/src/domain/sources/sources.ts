import { isDeepStrictEqual } from 'node:util'
import {
  HubError,
  Slug,
  defaultWorkspace,
  toValidationError,
  type PatchSource,
  type PutSource,
  type Source,
  type SourceSettings,
} from '@sluice/protocol'
import type { SourceRow } from '../../store/sources.ts'
import { noteDeed, type Caller } from '../audit.ts'
import type { Context, Workspace } from '../context.ts'
import { openKey } from '../cursors.ts'
import { toPage, type Page, type PageRequest } from '../page.ts'
import { toIso } from '../to-wire.ts'
import { listCurrent, openSecrets, replaceSecrets, sealSecrets } from './secrets.ts'
import { checkSecrets, secretsIn, toSettings, withChanges } from './settings.ts'
import { requireSlug } from '../require-slug.ts'

/** @throws HubError `not-found` */
export async function requireSource(
  { store }: Pick<Context, 'store'>,
  workspace: Workspace,
  key: string,
): Promise<SourceRow> {
  const found = Slug.safeParse(key).success ? await store.sources.find(workspace.id, key) : undefined
  if (!found)
    throw new HubError('not-found', `source "${key.slice(0, 100)}" does not exist; PUT /v1/sources/{source} makes one`)
  return found
}

export const settingsOf = ({ settings }: Pick<SourceRow, 'settings'>): SourceSettings =>
  JSON.parse(settings) as SourceSettings // written by this file

/** Where its sender posts to, below the hub's own address. */
export const addressOf = (workspace: Pick<Workspace, 'key'>, key: string): string =>
  workspace.key === defaultWorkspace ? `/in/${key}` : `/in/${workspace.key}/${key}`

export async function showSource(context: Context, workspace: Workspace, key: string): Promise<Source> {
  return toWire(context, workspace, await requireSource(context, workspace, key))
}

/** By key. */
export async function listSources(
  context: Context,
  workspace: Workspace,
  { limit, cursor }: PageRequest,
): Promise<Page> {
  const { store, cursors } = context
  const scope = `${workspace.id}/sources`
  const rows = await store.sources.list(workspace.id, { after: openKey(cursors, scope, cursor), limit: limit + 1 })
  const print = (row: SourceRow): string => JSON.stringify(toWire(context, workspace, row))
  return toPage({ cursors, scope, limit, rows, placeOf: ({ key }) => key, print })
}

/**
 * Makes a source, or checks that the one that exists is what was sent; it changes nothing.
 *
 * @throws HubError `validation-error`; `source-differs`, with the members that do in `details.differs`
 */
export async function ensureSource(
  context: Context,
  caller: Caller,
  { key, wanted }: { readonly key: string; readonly wanted: PutSource },
): Promise<{ source: Source; created: boolean }> {
  const { store } = context
  requireSlug(key, 'source')
  const before = await store.sources.find(caller.workspace.id, key)
  const created = before === undefined && (await createSource(context, caller, key, wanted))
  const row = before ?? (await requireSource(context, caller.workspace, key))
  if (!created) refuseDifference(context, row, wanted)
  return { source: toWire(context, caller.workspace, row), created }
}

async function createSource(context: Context, caller: Caller, key: string, wanted: PutSource): Promise<boolean> {
  const { store, sealing, newId } = context
  const settings = toSettings(key, wanted)
  const texts = secretsIn(wanted) ?? []
  checkSecrets(settings, texts)
  const id = newId()
  const secrets = sealSecrets(sealing, { id, texts, nowMs: store.nowMs() })
  const created = await store.sources.create(caller.workspace.id, {
    key,
    id,
    settings: JSON.stringify(settings),
    secrets: JSON.stringify(secrets),
  })
  if (created)
    await noteDeed(context, caller, { verb: 'source.create', target: key, details: { scheme: settings.scheme } })
  return created
}

function refuseDifference({ store, sealing }: Context, row: SourceRow, wanted: PutSource): void {
  const settings = settingsOf(row)
  const { secret: _one, secrets: _several, ...sent } = wanted
  const differs = Object.entries(sent)
    .filter(([name, value]) => !isDeepStrictEqual(settings[name as keyof SourceSettings], value)) // PutSource has no other names
    .map(([name]) => name)
  const texts = secretsIn(wanted)
  const current = texts && openSecrets(sealing, row, store.nowMs()).current
  if (!isDeepStrictEqual(texts?.toSorted(), current?.toSorted())) differs.push('secrets')
  if (differs.length === 0) return
  throw new HubError(
    'source-differs',
    `source "${row.key}" exists with other ${differs.join(', ')}; PATCH changes it`,
    {
      details: { differs },
    },
  )
}

/** @throws HubError `validation-error`, `not-found`; `conflict` when somebody else has changed it just now */
export async function patchSource(
  context: Context,
  caller: Caller,
  { key, change }: { readonly key: string; readonly change: PatchSource },
): Promise<Source> {
  const { store, sealing } = context
  const before = await requireSource(context, caller.workspace, key)
  const settings = withChanges(settingsOf(before), change)
  const texts = secretsIn(change)
  if (change.overlap_seconds !== undefined && !texts)
    throw toValidationError([{ pointer: '/overlap_seconds', detail: 'is for new secrets: send them, too' }])
  checkSecrets(settings, texts ?? openSecrets(sealing, before, store.nowMs()).current)
  const nowMs = store.nowMs()
  const overlapSeconds = change.overlap_seconds ?? 0
  const fresh = texts && sealSecrets(sealing, { id: before.id, texts, nowMs })
  const row = await store.sources.update(caller.workspace.id, {
    ...before,
    settings: JSON.stringify(settings),
    secrets: fresh ? JSON.stringify(replaceSecrets(before, fresh, { nowMs, overlapSeconds })) : before.secrets,
  })
  if (!row) throw new HubError('conflict', `source "${key}" was changed by somebody else just now; read it again`)
  // Names alone: what was sent may be a secret.
  await noteDeed(context, caller, { verb: 'source.change', target: key, details: { changed: Object.keys(change) } })
  return toWire(context, caller.workspace, row)
}

export async function removeSource(context: Context, caller: Caller, key: string): Promise<void> {
  await requireSource(context, caller.workspace, key)
  await context.store.sources.remove(caller.workspace.id, key)
  await noteDeed(context, caller, { verb: 'source.remove', target: key })
}

function toWire({ store }: Pick<Context, 'store'>, workspace: Workspace, row: SourceRow): Source {
  const secrets = listCurrent(row, store.nowMs())
  return {
    key: row.key,
    address: addressOf(workspace, row.key),
    ...settingsOf(row),
    secrets: secrets.map(({ createdMs, untilMs }) => ({
      created_at: toIso(createdMs),
      until: untilMs === null ? null : toIso(untilMs),
    })),
    created_at: toIso(row.createdMs),
    updated_at: toIso(row.updatedMs),
  }
}
