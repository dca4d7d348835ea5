import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { defaultWorkspace } from '@sluice/protocol'
import { createOutbound } from '@sluice/sdk/outbound'
import pino from 'pino'
import manifest from '../package.json' with { type: 'json' }
import type { HubOptions } from './config.ts'
import { createAuthenticator } from './domain/authenticate.ts'
import type { Context } from './domain/context.ts'
import { createRefresher } from './domain/connecting/refresh-connection.ts'
import { startRefreshing } from './domain/connecting/refreshing.ts'
import { createActivityNotes, startActivity } from './domain/activity.ts'
import { createCounts } from './domain/counts.ts'
import { createCursors } from './domain/cursors.ts'
import { startDelivering } from './domain/deliver/delivering.ts'
import { createKnownTypes } from './domain/event-types/known-types.ts'
import { createKey, type KeyAdmin, type KeyContext } from './domain/keys.ts'
import { createLeaseWatch } from './domain/local-leases.ts'
import { reseal } from './domain/reseal.ts'
import { createSealing } from './domain/sealing.ts'
import { createSigningKeys } from './domain/signing-keys.ts'
import { startPolling } from './domain/polling.ts'
import { startScheduling } from './domain/schedules/scheduling.ts'
import { createSourceNotes } from './domain/sources/notes.ts'
import { createLinkToken } from './domain/sessions.ts'
import { createRateBudgets } from './domain/rate-budgets/rate-budgets.ts'
import { startUpkeep } from './domain/upkeep.ts'
import { createNotifier } from './domain/notifier.ts'
import { createDayCounts } from './domain/quotas.ts'
import { requireWorkspace } from './domain/workspaces.ts'
import { createApp } from './http/app.ts'
import { toFetch, type FetchApp } from './http/fetch.ts'
import { listen } from './http/node.ts'
import { openStore } from './open-store.ts'
import { readInstalled } from './runner/installed.ts'
import { openProcessPool } from './runner/process-pool.ts'
import type { Store } from './store/store.ts'
import { openTransform } from './transform/transform.ts'

export {
  ConfigError,
  defaultData,
  readConfig,
  readEnvironment,
  type Flags,
  type HubOptions,
  type Role,
} from './config.ts'
export { openLocalAdmin, type LocalAdmin } from './local-admin.ts'
export { openStore, type StoreOptions } from './open-store.ts'
export { backupFolder, restoreFolder } from './store/sqlite/backup.ts'
export type { Store } from './store/store.ts'

export const version: string = manifest.version

export type Hub = {
  /** where it listens; empty without the role `http` */
  readonly url: string
  readonly port: number
  /** of an administrator, once: on the first start of an empty store */
  readonly apiKey: string | null
  /** An address that signs an administrator of the instance in: once, within 10 minutes. */
  readonly createSignInLink: () => string
  /** the same hub as a function, for another server or a test */
  readonly app: FetchApp
  readonly store: Store
  /** Stops taking requests, answers those under way, gives back what streams hold, and closes the store. Within 10 s. */
  readonly close: () => Promise<void>
}

/**
 * Starts a hub.
 *
 * @throws HubError `conflict` when another hub runs on the data folder, `storage-unavailable` when Postgres cannot be reached;
 * the error of `node:net` when the port is taken
 * @example const hub = await startHub(readConfig(readEnvironment()))
 */
export async function startHub(options: HubOptions): Promise<Hub> {
  const store = await openStore(options)
  try {
    return await start(store, options)
  } catch (error) {
    await store.close()
    throw error
  }
}

/** Requests under way get this long at the end; commits and the store then have the rest of 10 s. */
const graceMs = 8000
const runnerGraceMs = 1000
/** Tokens that a provider has given and the store could not keep yet are tried for so long. */
const refresherGraceMs = 1000

async function start(store: Store, options: HubOptions): Promise<Hub> {
  const { host, port, roles = ['http', 'deliver', 'schedule'] } = options
  const logger = pino({ level: options.logLevel, base: null }, pino.destination({ dest: 2, sync: true }))
  const onError = (error: unknown): void => logger.error({ err: error }, 'work in the background failed')
  const { integrations: installed, faults } = readInstalled(options.integrations)
  for (const fault of faults) logger.warn({ fault }, 'an integration was left out')
  const runner = openProcessPool({ allowCidr: options.allowCidr ?? [] })
  const sourceNotes = createSourceNotes(store, onError)
  const address = { url: options.publicUrl }
  const context = createContext({ store, installed, runner, sourceNotes, publicUrl: () => address.url }, options)
  const apiKey = await createFirstKey(context)
  const authenticator = createAuthenticator({ store, onError })
  const app = createApp({
    context,
    authenticator,
    logger,
    version,
    publicUrl: options.publicUrl,
    trustProxy: options.trustProxy,
    corsOrigins: options.corsOrigins,
    console: options.console ?? fileURLToPath(new URL('dist', import.meta.resolve('@sluice/console/package.json'))),
  })
  const listener = roles.includes('http') ? await listen({ app, host, port, logger }) : undefined
  if (listener) address.url ??= toUrl(host, listener.port)
  // With a single secret key there is nothing that another one could have sealed.
  const also = options.secretKeys.length > 1 ? () => reseal(context) : undefined
  const upkeep = roles.includes('schedule') ? startUpkeep(store, { holder: randomUUID(), also, onError }) : undefined
  const polling = roles.includes('schedule') ? startPolling({ context, authenticator }, onError) : undefined
  const refreshing = roles.includes('schedule') ? startRefreshing(context, onError) : undefined
  const scheduling = roles.includes('schedule') ? startScheduling({ context, authenticator, onError }) : undefined
  const delivering = roles.includes('deliver') ? startDelivering({ context, authenticator, onError }) : undefined
  const activity = startActivity(store, context.activity, {
    holder: randomUUID(),
    looks: roles.includes('schedule'),
    onError,
  })
  let closed: Promise<void> | undefined
  const close = async (): Promise<void> => {
    context.notifier.close()
    await Promise.all([listener?.close(graceMs), delivering?.close(graceMs), upkeep?.close(), scheduling?.close()])
    await runner.close(runnerGraceMs)
    await Promise.all([polling?.close(), refreshing?.close()])
    await context.refresher.close(refresherGraceMs)
    // A provider that never answers must not keep the hub.
    await context.outbound.dispatcher.destroy()
    await sourceNotes.close()
    await context.transform.close()
    await activity.close()
    await store.close()
  }
  const url = listener ? toUrl(host, listener.port) : ''
  return {
    url,
    port: listener?.port ?? 0,
    apiKey,
    createSignInLink: () => `${(options.publicUrl ?? url).replace(/\/+$/, '')}/console/#${createLinkToken(context)}`,
    app: toFetch(app),
    store,
    close: () => (closed ??= close()),
  }
}

type Places = Pick<Context, 'store' | 'installed' | 'runner' | 'sourceNotes' | 'publicUrl'>

function createContext({ store, ...places }: Places, { secretKeys, allowCidr }: HubOptions): Context {
  const sealing = createSealing(secretKeys)
  return {
    store,
    ...places,
    outbound: createOutbound({ allowCidr }),
    refresher: createRefresher({ store, sealing, random: Math.random }),
    cursors: createCursors(secretKeys),
    sealing,
    signingKeys: createSigningKeys(secretKeys),
    notifier: createNotifier(store),
    leaseWatch: createLeaseWatch(),
    rateBudgets: createRateBudgets(store.rateBudgets, () => performance.now()),
    knownTypes: createKnownTypes(store),
    transform: openTransform(),
    dayCounts: createDayCounts(store),
    counts: createCounts(),
    activity: createActivityNotes(store),
    random: Math.random,
    newId: randomUUID,
  }
}

/** A node that ends before it has made the first key is followed by another one after this long. */
const firstKeyMs = 10_000
const firstKeyPollMs = 50

/** The way into an empty store: there is nobody yet who could make a key. Of nodes that start together, one makes it. */
async function createFirstKey(context: KeyContext): Promise<string | null> {
  const { store } = context
  const workspace = await requireWorkspace(context, defaultWorkspace)
  const hasKey = async (): Promise<boolean> => (await store.listKeys(workspace.id, { after: '', limit: 1 })).length > 0
  const holder = randomUUID()
  while (!(await hasKey())) {
    if (!(await store.claimTask('first-key', holder, firstKeyMs))) {
      await pause(firstKeyPollMs)
      continue
    }
    // The node that held the claim before may have made it since.
    if (await hasKey()) break
    const hub: KeyAdmin = { workspace, actor: 'hub', isInstanceAdmin: true }
    return (await createKey(context, hub, { user_id: 'admin', role: 'admin' })).api_key
  }
  return null
}

/** An address that a client on this machine can use. */
function toUrl(host: string, port: number): string {
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
}
