import type { ConnectionGrant } from '@sluice/protocol'
import type { Installed } from '../../runner/installed.ts'
import type { ConnectionRow, NewConnection } from '../../store/connections.ts'
import { noteDeed } from '../audit.ts'
import type { Context } from '../context.ts'
import { withoutSecrets } from '../without-secrets.ts'
import { checkGrant, requireOwner, requireSameIntegration, type Owner } from './authority.ts'
import type { Secret } from './credentials.ts'
import { openAuth } from './open-auth.ts'
import { tellConnection } from './tell-connection.ts'
import { sealSecret, toTimes } from './tokens.ts'

export type ToStore = {
  readonly key: string
  readonly installed: Installed
  readonly secret: Secret
  /** that of before, or `workspace`, where it is left out */
  readonly grant?: ConnectionGrant | undefined
  /** refuses to replace one of another integration */
  readonly keepsIntegration?: boolean
}

/**
 * Makes a connection, or replaces its credentials: key, owner, grant and whatever uses it stay. Asks whose account it is.
 *
 * @throws HubError `forbidden` for a connection of another user, `conflict` for one of another integration
 */
export async function storeConnection(
  context: Context,
  owner: Owner,
  { key, installed, secret, grant, keepsIntegration = false }: ToStore,
): Promise<{ row: ConnectionRow; created: boolean }> {
  const { store, newId } = context
  const { workspace } = owner
  const before = await store.connections.find(workspace.id, key)
  if (before) requireOwner(owner, before)
  if (before && keepsIntegration) requireSameIntegration(before, installed.name)
  await checkGrant(context, owner, grant)
  const id = newId()
  const created = await store.connections.put(workspace.id, {
    key,
    id,
    integration: installed.name,
    userId: before?.userId ?? owner.userId,
    grant: grant ?? before?.grant ?? 'workspace',
    ...toSealed(context, id, secret),
  })
  const verb = created ? 'connection.create' : 'connection.replace'
  await noteDeed(context, owner, { verb, target: key, details: { integration: installed.name } })
  const told = { workspaceId: workspace.id, key, id, integration: installed.name, generation: 0 }
  await tellConnection(store, created ? 'created' : 'reconnected', told)
  return { row: await learnAccount(context, { installed, workspaceId: workspace.id, key, id }), created }
}

type Sealed = Pick<NewConnection, 'sealed' | 'method' | 'expiresMs' | 'refreshMs'>

function toSealed({ sealing, random }: Context, id: string, secret: Secret): Sealed {
  const never = { expiresMs: null, refreshMs: null }
  if (secret.kind === 'none') return { sealed: null, method: null, ...never }
  const { method } = secret
  if (secret.kind === 'form') return { sealed: sealSecret(sealing, id, secret.credentials), method, ...never }
  const { granted, usesUp } = secret
  return { sealed: sealSecret(sealing, id, granted), method, ...toTimes(granted.tokens, { random: random(), usesUp }) }
}

type Asking = {
  readonly installed: Installed
  readonly workspaceId: number
  readonly key: string
  /** of the credentials */
  readonly id: string
}

const accountMs = 20_000

/** The handler may take its time or fail: the connection is there all the same, and says why. */
export async function learnAccount(context: Context, asking: Asking): Promise<ConnectionRow> {
  const { store } = context
  const { installed, workspaceId, key, id } = asking
  const find = async (): Promise<ConnectionRow> => {
    const found = await store.connections.find(workspaceId, key)
    if (found) return found
    throw new Error(`connection "${key}" was removed in the meantime`)
  }
  if (!installed.config.supports_connected_account) return find()
  const change = await askAccount(context, installed, await find()).catch((error: unknown) => ({
    account: null,
    error: (error instanceof Error ? error.message : String(error)).slice(0, 1000),
  }))
  await store.connections.setAccount(workspaceId, key, { id, ...change })
  return find()
}

type Known = Pick<ConnectionRow, 'account'> & { readonly error: string | null }

async function askAccount(context: Context, installed: Installed, row: ConnectionRow): Promise<Known> {
  const { config, folder } = installed
  const auth = await openAuth(context, installed, row)
  const order = { folder, workspaceId: row.workspaceId, auth, metadata: {}, deadlineMs: accountMs }
  const outcome = await context.runner.run({ ...order, call: { kind: 'account' } })
  const { result } = withoutSecrets(outcome, auth, config)
  const isKnown = 'type' in result && result.type === 'connected_account'
  return isKnown ? { account: result.result, error: null } : { account: null, error: toReason(result) }
}

function toReason(result: object): string {
  const { message } = 'result' in result ? (result.result as { message?: string }) : (result as { message?: string }) // each failure has one
  return (message ?? 'it is not known why').slice(0, 1000)
}
