import { needsCredentials } from '@sluice/sdk/integration'
import type { Principal } from '../authenticate.ts'
import { describeLink, offerLink } from '../connecting/sessions.ts'
import { listUsable } from '../connections.ts'
import type { Context } from '../context.ts'
import { isObject } from '../json-text.ts'
import { mayRun, runAction } from '../run-action.ts'
import { nameActions, type NamedAction } from './tool-names.ts'
import { refusal, toObjectSchema, type ObjectSchema, type Tool, type ToolCall, type ToolResult } from './tool.ts'

/** The actions that a key may run, by the names of their tools, and the connections that it may use, by integration. */
export type Actions = {
  readonly named: ReadonlyMap<string, NamedAction>
  readonly connectionsOf: (integration: string) => readonly string[]
}

/** More than this an agent is not told of; the others can be named all the same. */
const maxConnections = 1000

export async function findActions(context: Context, principal: Principal): Promise<Actions> {
  const named = [...nameActions(context.installed)].filter(([, { id }]) => mayRun(principal, id))
  const rows = await listUsable(context, principal, { after: '', limit: maxConnections })
  const keys = Map.groupBy(rows, ({ integration }) => integration)
  return {
    named: new Map(named),
    connectionsOf: (integration) => (keys.get(integration) ?? []).map(({ key }) => key),
  }
}

export function toTool(name: string, one: NamedAction, connections: readonly string[]): Tool {
  const { integration, action, config } = one
  const { display_name: title, description, output_schema: output } = config
  return {
    name,
    title: `${integration.config.display_name ?? integration.config.name}: ${title ?? action}`,
    description,
    inputSchema: toInputSchema(one, connections),
    ...(output['type'] === 'object' && { outputSchema: toObjectSchema(output) }),
  }
}

/** The member beside the action's own that says whose credentials to use. */
function connectionMember({ config }: NamedAction): string {
  const { properties } = config.input_schema
  return isObject(properties) && Object.hasOwn(properties, 'connection') ? 'sluice_connection' : 'connection'
}

function toInputSchema(one: NamedAction, connections: readonly string[]): ObjectSchema {
  const schema = toObjectSchema(one.config.input_schema)
  if (!needsCredentials(one.integration.config)) return schema
  const { properties, required } = schema
  const member = connectionMember(one)
  return {
    ...schema,
    properties: { ...(isObject(properties) && properties), [member]: toConnectionSchema(one, connections) },
    required: [...(Array.isArray(required) ? required : []), member],
  }
}

function toConnectionSchema({ integration }: NamedAction, connections: readonly string[]): object {
  if (connections.length === 0) return { type: 'string', description: howToConnect(integration.name) }
  return { type: 'string', enum: connections, description: 'whose account to use' }
}

const howToConnect = (integration: string): string =>
  `There is no connection for "${integration}" yet that this key may use. A person makes one with: sluice connections connect NAME --integration ${integration}`

export type ActionCall = Pick<ToolCall, 'signal' | 'onProgress' | 'dryRun'> & {
  readonly one: NamedAction
  readonly inputs: Readonly<Record<string, unknown>>
  readonly connection: unknown
  readonly connections: readonly string[]
}

/** Takes the connection out of what a tool was called with. */
export function splitInputs(
  one: NamedAction,
  given: Readonly<Record<string, unknown>>,
): { readonly inputs: Record<string, unknown>; readonly connection: unknown } {
  const inputs = { ...given }
  if (!needsCredentials(one.integration.config)) return { inputs, connection: undefined }
  const member = connectionMember(one)
  const connection = inputs[member]
  delete inputs[member]
  return { inputs, connection }
}

/** Runs an action. @throws HubError as `runAction` */
export async function callAction(context: Context, principal: Principal, call: ActionCall): Promise<ToolResult> {
  const { one, inputs, connection, connections, signal, onProgress, dryRun = false } = call
  const { name, config } = one.integration
  const fault = needsCredentials(config) ? findConnectionFault(name, connection, connections) : undefined
  if (fault !== undefined) return refusal(connections.length === 0 ? await findWay(context, principal, name) : fault)
  const key = typeof connection === 'string' ? { connection } : {}
  const target = { integration: name, name: one.action, signal, onProgress, door: 'mcp' as const }
  const { type, result } = await runAction(context, principal, target, {
    inputs: { ...inputs },
    dry_run: dryRun,
    ...key,
  })
  if (type === 'dry_run') return { text: JSON.stringify(result), costUsd: 0 }
  const { data, cost_usd: cost = null } = result
  const costUsd = typeof cost === 'number' ? cost : null
  if (type !== 'action') return { ...refusal(toFailureText(result, costUsd)), costUsd }
  const isDescribed = one.config.output_schema['type'] === 'object' && isObject(data)
  return { text: toText(data), ...(isDescribed && { data }), costUsd }
}

/** Where a person connects an account, for an agent to hand on. */
async function findWay(context: Context, principal: Principal, integration: string): Promise<string> {
  const link = await offerLink(context, principal, { integration })
  return link
    ? `There is no connection for "${integration}" yet that this key may use: ${describeLink(link)}`
    : howToConnect(integration)
}

function findConnectionFault(integration: string, given: unknown, connections: readonly string[]): string | undefined {
  if (connections.length === 0 && typeof given !== 'string') return howToConnect(integration)
  if (typeof given === 'string' && (connections.includes(given) || connections.length === maxConnections))
    return undefined
  if (connections.length === 0) return howToConnect(integration)
  return `"connection" must be one of ${connections.slice(0, 20).join(', ')}`
}

function toFailureText({ message }: Readonly<Record<string, unknown>>, costUsd: number | null): string {
  const cost = costUsd === null ? '' : ` (this cost ${costUsd} USD)`
  return `${typeof message === 'string' ? message : 'it is not known why'}${cost}`
}

const toText = (data: unknown): string => (typeof data === 'string' ? data : (JSON.stringify(data) ?? 'null'))
