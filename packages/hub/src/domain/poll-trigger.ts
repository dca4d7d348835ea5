import { HubError, limits, type Poll } from '@sluice/protocol'
import type { PollRecord } from '@sluice/sdk/integration'
import type { RunOutcome } from '../runner/runner.ts'
import type { ConnectionRow } from '../store/connections.ts'
import type { Draft } from '../store/store.ts'
import type { ClaimedTrigger, PollEnd } from '../store/triggers.ts'
import { requirePermission, type Authenticator, type Principal } from './authenticate.ts'
import { mayUse } from './connecting/authority.ts'
import { openAuth, type OpenedAuth } from './connections.ts'
import type { Context, Workspace } from './context.ts'
import { digest } from './dedup.ts'
import { requireIntegration } from './integrations.ts'
import { requireAction } from './run-action.ts'
import { runWithLeave } from './rate-budgets/permits.ts'
import { storeEvents } from './store-events.ts'
import { withoutSecrets } from './without-secrets.ts'
import { requireTrigger, toSettings, toWirePoll, type TriggerSettings } from './triggers.ts'

/** A poll is ended after this. */
const deadlineMs = 60_000
/** Longer than a poll and what comes after it: then the node that claimed it is taken for dead. */
export const claimMs = 150_000
const longestWaitMs = 3_600_000

export type PollParts = { readonly context: Context; readonly authenticator: Authenticator }

/** Polls now, whenever its time is. @throws HubError `not-found`; `conflict` while a poll is under way */
export async function runTrigger(parts: PollParts, workspace: Workspace, key: string): Promise<Poll> {
  const { context } = parts
  await requireTrigger(context, workspace, key)
  const claimed = await context.store.triggers.claim(workspace.id, key, claimMs)
  if (!claimed) throw new HubError('conflict', `trigger "${key}" is being polled just now`)
  return pollTrigger(parts, workspace, claimed)
}

/**
 * One poll: asks, appends what is new as events, then notes what was seen. A record is known by its id and version; each becomes
 * an event once, also if the node is killed in between: the events have keys of their own, and the next poll finds them stored.
 */
export async function pollTrigger(parts: PollParts, workspace: Workspace, claimed: ClaimedTrigger): Promise<Poll> {
  const { context } = parts
  const { store } = context
  const startedMs = store.nowMs()
  const settings = toSettings(claimed)
  const began = performance.now()
  const polled = await poll(parts, workspace, claimed).catch((error: unknown) => toFailed(error))
  const ms = Math.round(performance.now() - began)
  const end = { startedMs, ms, ...polled, nextPollMs: nextPollMs(context, claimed, settings, polled.error) }
  const isCurrent = await store.triggers.finish(claimed, end)
  const outcome = isCurrent ? (end.good ? 'good' : 'failed') : 'superseded'
  return toWirePoll({ ...end, atMs: startedMs, outcome })
}

type Polled = Pick<PollEnd, 'found' | 'published' | 'error' | 'good'>

const toFailed = (error: unknown): Polled => ({ found: 0, published: 0, error: toReason(error) })

const toReason = (error: unknown): string => (error instanceof Error ? error.message : String(error)).slice(0, 1000)

async function poll(
  { context, authenticator }: PollParts,
  workspace: Workspace,
  claimed: ClaimedTrigger,
): Promise<Polled> {
  const settings = toSettings(claimed)
  await requireAuthority({ context, authenticator }, workspace, settings)
  const { result } = await ask(context, workspace, claimed, settings)
  if (!('type' in result) || result.type !== 'polling_trigger') return toFailed(new Error(toMessage(result)))
  const { records, state } = result.result
  const known = new Map(records.map((record) => [digestOf(record), record]))
  const seen = new Set(await context.store.triggers.findSeen(claimed, [...known.keys()]))
  const fresh = [...known].filter(([key]) => !seen.has(key))
  const good = (keys: readonly string[]) => ({
    good: { state: state === null ? null : JSON.stringify(state), seen: keys },
  })
  const found = records.length
  if (!claimed.primed && settings.first_poll === 'prime')
    return { found, published: 0, error: null, ...good([...known.keys()]) }
  const refused = await publish(context, workspace, { claimed, settings, fresh })
  const accepted = [...known.keys()].filter((key) => !refused.has(key))
  const error = refused.size === 0 ? null : describe(refused)
  return { found, published: fresh.length - refused.size, error, ...good(accepted) }
}

/** What the key must still be able to do that has put it. @throws HubError `forbidden`, or what is the matter with the key */
async function requireAuthority(
  { context, authenticator }: PollParts,
  workspace: Workspace,
  settings: TriggerSettings,
): Promise<void> {
  const { key_id: keyId, user_id: userId, integration } = settings
  // One that was put before keys were noted goes by its user alone.
  const principal = keyId === undefined ? undefined : await findPrincipal(authenticator, keyId)
  if (principal) {
    if (principal.workspace.id !== workspace.id)
      throw new HubError('forbidden', `key ${principal.keyId} is one of another workspace; put the trigger again`)
    requirePermission(principal, 'act')
    requireAction(principal, `${integration}.${settings.polling_trigger}`)
  }
  const connection = await findConnection(context, workspace, settings.connection)
  if (connection && !mayUse(principal ?? { userId, keyId: undefined }, connection))
    throw new HubError(
      'forbidden',
      `connection "${connection.key}" is not granted any more to the key that put this trigger`,
    )
}

const findPrincipal = (authenticator: Authenticator, keyId: string): Promise<Principal> =>
  authenticator.authenticateById(keyId).catch((error: unknown) => {
    if (!(error instanceof HubError) || error.status >= 500) throw error
    const { code, message } = error
    const reason = code === 'unauthorized' ? `key ${keyId} does not exist` : message
    throw new HubError(code, `it is polled with the key that put it: ${reason}; put it again with another key`, {
      cause: error,
    })
  })

async function ask(
  context: Context,
  workspace: Workspace,
  claimed: ClaimedTrigger,
  settings: TriggerSettings,
): Promise<RunOutcome> {
  const installed = requireIntegration(context, settings.integration)
  const connection = await findConnection(context, workspace, settings.connection)
  const { lastPollMs, state } = claimed
  const since = lastPollMs === null ? null : new Date(lastPollMs - settings.look_back_seconds * 1000).toISOString()
  const place = { last_poll_ts: since, state: state === null ? null : JSON.parse(state) }
  const call = { kind: 'poll', name: settings.polling_trigger, inputs: settings.inputs, place } as const
  const run = async (): Promise<{ outcome: RunOutcome; isRenewed: boolean }> => {
    // Read anew: its tokens may have been replaced since the last run.
    const row = connection && (await findConnection(context, workspace, connection.key))
    const auth: OpenedAuth = row ? await openAuth(context, installed, row) : { auth_type: 'Custom', credentials: {} }
    const whose = { workspaceId: workspace.id, rank: 2, user: settings.user_id } as const
    const order = { ...whose, folder: installed.folder, call, auth, metadata: { trigger: claimed.key }, deadlineMs }
    const outcome = await runWithLeave(context, order, { installed, connection: row?.key })
    const isRenewed = (await auth.noteUse?.(call.name, outcome.unauthorized === true)) ?? false
    return { outcome: withoutSecrets(outcome, auth, installed.config), isRenewed }
  }
  const { outcome, isRenewed } = await run()
  return isRenewed ? (await run()).outcome : outcome
}

async function findConnection(
  { store }: Context,
  { id }: Workspace,
  key: string | null,
): Promise<ConnectionRow | undefined> {
  if (key === null) return undefined
  const found = await store.connections.find(id, key)
  if (!found) throw new HubError('not-found', `connection "${key}" does not exist any more`)
  return found
}

function toMessage(result: RunOutcome['result']): string {
  const held = 'result' in result ? result.result : result
  return 'message' in held && typeof held.message === 'string' ? held.message : 'the handler answered something else'
}

/** A record with another version is another record. */
const digestOf = ({ id, version }: PollRecord): string => digest(JSON.stringify([id, version ?? null]))

type Publishing = {
  readonly claimed: ClaimedTrigger
  readonly settings: TriggerSettings
  readonly fresh: readonly (readonly [key: string, record: PollRecord])[]
}

/** In the order in which the service gave them. Answers what was refused, by digest, and why. */
async function publish(context: Context, workspace: Workspace, publishing: Publishing): Promise<Map<string, string>> {
  const refused = new Map<string, string>()
  const drafts: { key: string; draft: Draft }[] = []
  for (const [key, record] of publishing.fresh) {
    const draft = toDraft(publishing, key, record)
    if (Buffer.byteLength(draft.body) > limits.payloadBytes)
      refused.set(key, `record ${record.id} has more than ${limits.payloadBytes} bytes`)
    else drafts.push({ key, draft })
  }
  for (let at = 0; at < drafts.length; at += limits.batchEvents) {
    const part = drafts.slice(at, at + limits.batchEvents)
    const results = await storeEvents(
      context,
      workspace,
      part.map(({ draft }) => draft),
    )
    for (const [index, result] of results.entries())
      if (result instanceof HubError) refused.set(part[index]?.key ?? '', result.message)
  }
  return refused
}

function toDraft({ claimed, settings }: Publishing, key: string, { id, data, version }: PollRecord): Draft {
  const eventType = `${settings.integration}.${settings.polling_trigger}`
  const source = settings.integration
  const metadata = { trigger: claimed.key, record_id: id, ...(version !== undefined && { record_version: version }) }
  // Without a stop: two records that differ under one id and version are one.
  const dedup = digest(`trigger\0${claimed.id}\0${key}`)
  return {
    eventType,
    source,
    subject: null,
    body: JSON.stringify({ event_type: eventType, payload: toPayload(data), source, metadata }),
    notes: null,
    dedup: [{ key: dedup, fingerprint: dedup }],
  }
}

/** A payload is an object; what a service gives as something else is kept under a name. */
export const toPayload = (data: unknown): unknown =>
  typeof data === 'object' && data !== null && !Array.isArray(data) ? data : { value: data }

const named = 3

function describe(refused: ReadonlyMap<string, string>): string {
  const reasons = [...refused.values()]
  const more = reasons.length > named ? `; and ${reasons.length - named} more` : ''
  return `${reasons.length} records were refused: ${reasons.slice(0, named).join('; ')}${more}`.slice(0, 1000)
}

/** The interval, spread by a tenth either way so that triggers which were made together do not stay together; longer after failures. */
function nextPollMs(
  { store, random }: Context,
  { failures }: ClaimedTrigger,
  settings: TriggerSettings,
  error: string | null,
): number {
  const intervalMs = settings.interval_seconds * 1000
  const waitMs =
    error === null
      ? intervalMs
      : Math.max(intervalMs, Math.min(longestWaitMs, intervalMs * 2 ** Math.min(failures + 1, 20)))
  return store.nowMs() + Math.round(waitMs * (0.9 + 0.2 * random()))
}
