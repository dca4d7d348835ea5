import { HubError } from '@sluice/protocol'
import type { Principal } from '../authenticate.ts'
import type { Context } from '../context.ts'
import { callAction, findActions, splitInputs, toTool, type Actions } from './action-tools.ts'
import { callPublish, mayPublish, publishTool } from './publish-tool.ts'
import { runFoundAction, searchActions, searchTools } from './search-actions.ts'
import { ownNames } from './tool-names.ts'
import { refusal, type Tool, type ToolCall, type ToolResult } from './tool.ts'

/** With more actions than this, a key is shown the two tools that find and run them. */
const maxListedActions = 100

/** The tools of a key: a tool for each action that it may run, or two for all of them, and the hub's own. */
export async function listTools(context: Context, principal: Principal): Promise<Tool[]> {
  const actions = await findActions(context, principal)
  const own = mayPublish(principal) ? [publishTool] : []
  if (isMany(actions)) return [...searchTools, ...own]
  const { named, connectionsOf } = actions
  return [...[...named].map(([name, one]) => toTool(name, one, connectionsOf(one.integration.name))), ...own]
}

const isMany = ({ named }: Actions): boolean => named.size > maxListedActions

/**
 * Calls a tool. What the hub refuses is a result too: an agent reads it, and does better next time.
 *
 * @returns undefined if the key has no such tool
 * @throws what the hub itself fails of; the signal's reason, if it is aborted while the run waits for its turn
 */
export async function callTool(
  context: Context,
  principal: Principal,
  call: ToolCall,
): Promise<ToolResult | undefined> {
  try {
    return await dispatch(context, principal, call)
  } catch (error) {
    if (!(error instanceof HubError) || error.code === 'internal') throw error
    return refusal(error.message)
  }
}

async function dispatch(context: Context, principal: Principal, call: ToolCall): Promise<ToolResult | undefined> {
  const { name, inputs, signal, onProgress, dryRun } = call
  if (name === ownNames.publish && mayPublish(principal)) return callPublish(context, principal, inputs)
  const actions = await findActions(context, principal)
  if (isMany(actions) && name === ownNames.search) return searchActions(actions, inputs)
  if (isMany(actions) && name === ownNames.run) return runFoundAction(context, principal, actions, call)
  const one = actions.named.get(name)
  if (!one) return undefined
  const connections = actions.connectionsOf(one.integration.name)
  return callAction(context, principal, {
    one,
    ...splitInputs(one, inputs),
    connections,
    signal,
    onProgress,
    ...(dryRun && { dryRun }),
  })
}
