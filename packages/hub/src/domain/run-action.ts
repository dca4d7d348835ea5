import { HubError, matchesGlob, type RunAction, type RunDoor, type RunPoll, type RunResult } from '@sluice/protocol'
import type { Rank } from '../store/rate-budgets.ts'
import { needsCredentials } from '@sluice/sdk/integration'
import type { Installed } from '../runner/installed.ts'
import type { RunOptions, RunOrder, RunOutcome } from '../runner/runner.ts'
import type { Principal } from './authenticate.ts'
import { withAddress } from './connecting/sessions.ts'
import { openAuth, requireConnection, type OpenedAuth } from './connections.ts'
import type { Context } from './context.ts'
import { requireIntegration } from './integrations.ts'
import { runWithLeave } from './rate-budgets/permits.ts'
import { noteRun, requireBudgets } from './spending/note-run.ts'
import { withoutSecrets } from './without-secrets.ts'

/** A run ends after this unless its target says otherwise. */
const defaultDeadlineMs = 60_000

export type Target = Pick<RunOptions, 'signal' | 'onProgress'> & {
  readonly integration: string
  readonly name: string
  /** what it came in by; default `http` */
  readonly door?: RunDoor
  /** for the handler; `idempotency_key` is the same for each attempt to do the same */
  readonly metadata?: Readonly<Record<string, unknown>>
  /** default 60,000 */
  readonly deadlineMs?: number
}

/**
 * Runs an action for somebody who reads its result on the wire.
 *
 * @throws HubError as `performAction`; where a connection is missing, with the address at which a person connects it
 */
export async function runAction(
  context: Context,
  principal: Principal,
  target: Target,
  order: RunAction,
): Promise<RunResult> {
  try {
    return toWire(await performAction(context, principal, target, order))
  } catch (error) {
    throw await withAddress(context, principal, error, { integration: target.integration, key: order.connection })
  }
}

/**
 * Runs an action of an integration. What the action does wrong is in the result; what it did to its process too, and then nobody
 * knows what it has done in its service.
 *
 * @throws HubError `not-found`, `forbidden` for an action or a connection that the key may not use, `validation-error` for a missing
 * connection, `budget-exceeded`, `overloaded`
 */
export async function performAction(
  context: Context,
  principal: Principal,
  { integration, name, ...options }: Target,
  order: RunAction,
): Promise<RunOutcome> {
  const installed = requireRunnable(context, principal, { integration, name })
  const { workspace, userId, keyId } = principal
  const { connection } = order
  if (order.dry_run)
    return run(context, principal, { ...options, installed, call: toCall(name, order), connection, dryRun: true })
  const subject = { integration, action: name, connection: connection ?? null, userId }
  await requireBudgets(context, workspace, subject)
  const done = { ...subject, keyId, door: options.door ?? 'http', startedMs: context.store.nowMs() }
  const rank = order.bulk ? 3 : done.door === 'inbox' ? 1 : 0
  const outcome = await run(context, principal, { ...options, installed, call: toCall(name, order), connection, rank })
  await noteRun(context, workspace, done, outcome)
  return outcome
}

/**
 * Whether an action could be run now, as far as that can be known without running it.
 *
 * @throws HubError as `performAction`
 */
export async function checkAction(
  context: Context,
  principal: Principal,
  target: Pick<Target, 'integration' | 'name'>,
  connection: string | undefined,
): Promise<void> {
  await findAuth(context, principal, requireRunnable(context, principal, target), connection)
}

function requireRunnable(
  context: Context,
  principal: Principal,
  { integration, name }: Pick<Target, 'integration' | 'name'>,
): Installed {
  const installed = requireIntegration(context, integration)
  if (!Object.hasOwn(installed.config.actions, name))
    throw new HubError('not-found', `integration "${integration}" has no action "${name.slice(0, 100)}"`)
  requireAction(principal, `${integration}.${name}`)
  return installed
}

/** Asks a polling trigger once, for whoever tries it out. @throws HubError as `runAction` */
export async function runPoll(
  context: Context,
  principal: Principal,
  { integration, name, ...options }: Target,
  order: RunPoll,
): Promise<RunResult> {
  const installed = requireIntegration(context, integration)
  if (!Object.hasOwn(installed.config.polling_triggers, name))
    throw new HubError('not-found', `integration "${integration}" has no polling trigger "${name.slice(0, 100)}"`)
  requireAction(principal, `${integration}.${name}`)
  const place = { last_poll_ts: order.last_poll_ts ?? null, state: order.state ?? null }
  const call = { kind: 'poll', name, inputs: order.inputs ?? {}, place } as const
  return toWire(await run(context, principal, { ...options, installed, call, connection: order.connection }))
}

/** @param name as `integration.action` */
export function mayRun({ allowedActions }: Pick<Principal, 'allowedActions'>, name: string): boolean {
  return allowedActions === null || allowedActions.some((glob) => matchesGlob(glob, name))
}

/** @throws HubError `forbidden` */
export function requireAction(principal: Principal, name: string): void {
  const { allowedActions } = principal
  if (allowedActions === null || mayRun(principal, name)) return
  throw new HubError(
    'forbidden',
    `this API key may not run "${name}"; it may run ${allowedActions.join(', ') || 'nothing'}`,
  )
}

type Job = Omit<Target, 'integration' | 'name'> & {
  readonly installed: Installed
  readonly call: RunOrder['call']
  readonly connection: string | undefined
  /** how urgent it is */
  readonly rank?: Rank
  readonly dryRun?: boolean
}

const toCall = (name: string, { inputs = {} }: RunAction): RunOrder['call'] => ({ kind: 'action', name, inputs })

async function run(
  context: Context,
  principal: Principal,
  {
    installed,
    call,
    connection,
    metadata = {},
    deadlineMs = defaultDeadlineMs,
    signal,
    onProgress,
    rank = 0,
    ...job
  }: Job,
): Promise<RunOutcome> {
  const auth = await findAuth(context, principal, installed, connection)
  const whose = { workspaceId: principal.workspace.id, rank, user: principal.userId }
  const order = { ...whose, folder: installed.folder, call, auth, metadata, deadlineMs, dryRun: job.dryRun === true }
  const clean = <Value>(value: Value): Value => withoutSecrets(value, auth, installed.config)
  const outcome = await runWithLeave(context, order, {
    installed,
    connection,
    signal,
    onProgress: onProgress && ((report) => onProgress(clean(report))),
  })
  // The action may have been done in part: it is not run again, but a later one finds credentials that are good. Who waits for this one
  // waits for no provider, and has the result whatever becomes of them.
  auth.noteUse?.(call.kind === 'account' ? 'account' : call.name, outcome.unauthorized === true).catch(() => undefined)
  return clean(outcome)
}

async function findAuth(
  context: Context,
  principal: Principal,
  installed: Installed,
  key: string | undefined,
): Promise<OpenedAuth> {
  requireCredentials(installed, key)
  if (key === undefined) return { auth_type: 'Custom', credentials: {} }
  const connection = await requireConnection(context, principal, key)
  if (connection.integration !== installed.name)
    throw new HubError(
      'conflict',
      `connection "${key}" is one of "${connection.integration}", not of "${installed.name}"`,
    )
  return openAuth(context, installed, connection)
}

/** @throws HubError `validation-error` where a connection is needed and not named */
export function requireCredentials({ name, config }: Installed, connection: string | undefined): void {
  if (connection !== undefined || !needsCredentials(config)) return
  throw new HubError(
    'validation-error',
    `integration "${name}" needs a connection; make one with PUT /v1/connections/{connection}`,
    { errors: [{ pointer: '/connection', detail: 'is missing' }] },
  )
}

/** A handler that ended its process has no envelope of its own. */
function toWire({ dryRun, ...outcome }: RunOutcome): RunResult {
  const wire = toWireResult(outcome)
  if (!dryRun) return wire
  const { version, type, result, ms } = wire
  const { requests, stopped } = dryRun
  return { version, type: 'dry_run', result: { requests, outcome: stopped ? null : { type, result } }, ms }
}

function toWireResult({ result, ms }: Omit<RunOutcome, 'dryRun'>): RunResult {
  if ('type' in result) {
    const { version, type } = result
    if (type !== 'connected_account') return { version, type, result: { ...result.result }, ms }
  }
  const message = 'message' in result ? result.message : 'the run answered something else'
  return { version: '2.0.0', type: 'error', result: { message, cost_usd: null }, ms }
}
