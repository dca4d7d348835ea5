import { toFaults, toValidationError } from '@sluice/protocol'
import { needsCredentials } from '@sluice/sdk/integration'
import { z } from 'zod'
import type { Principal } from '../authenticate.ts'
import type { Context } from '../context.ts'
import { callAction, toTool, type Actions } from './action-tools.ts'
import { ownNames } from './tool-names.ts'
import { refusal, toObjectSchema, type Tool, type ToolCall, type ToolResult } from './tool.ts'

const SearchActions = z.strictObject({
  query: z.string().max(500).default('').describe('words that its name or description holds; all actions without'),
  limit: z.int().min(1).max(50).default(10).describe('how many to show'),
})

const RunAction = z.strictObject({
  action: z.string().max(300).describe('as search_actions names it: integration.action'),
  inputs: z.record(z.string(), z.unknown()).default({}).describe('as its input_schema says'),
  connection: z.string().max(300).optional().describe('one of its connections, where it has a list of them'),
})

/** Two tools in the place of hundreds, which would fill what a model can keep in mind. */
export const searchTools: readonly Tool[] = [
  {
    name: ownNames.search,
    title: 'Search actions',
    description: 'Finds actions in outside services, with what each takes. Run one with run_action.',
    inputSchema: toObjectSchema(z.toJSONSchema(SearchActions, { io: 'input' })),
  },
  {
    name: ownNames.run,
    title: 'Run an action',
    description: 'Runs an action that search_actions has found.',
    inputSchema: toObjectSchema(z.toJSONSchema(RunAction, { io: 'input' })),
  },
]

/** @throws HubError `validation-error` */
export function searchActions({ named, connectionsOf }: Actions, inputs: ToolCall['inputs']): ToolResult {
  const { query, limit } = parse(SearchActions, inputs)
  const words = query.toLowerCase().split(/\s+/).filter(Boolean)
  const found = [...named]
    .map(([name, one]) => ({ one, tool: toTool(name, one, connectionsOf(one.integration.name)) }))
    .map(({ one, tool }) => ({ one, tool, weight: weigh(words, one.id, `${tool.title} ${tool.description}`) }))
    .filter(({ weight }) => words.length === 0 || weight > 0)
    .toSorted((left, right) => right.weight - left.weight)
  const actions = found.slice(0, limit).map(({ one, tool }) => ({
    action: one.id,
    description: tool.description,
    input_schema: one.config.input_schema,
    connections: needsCredentials(one.integration.config) ? connectionsOf(one.integration.name) : null,
  }))
  return { text: JSON.stringify({ actions, found: found.length }) }
}

/** A word in the name says more than one in the description. */
function weigh(words: readonly string[], name: string, description: string): number {
  const [inName, inDescription] = [name.toLowerCase(), description.toLowerCase()]
  return words.reduce((sum, word) => sum + (inName.includes(word) ? 3 : 0) + (inDescription.includes(word) ? 1 : 0), 0)
}

/** @throws HubError `validation-error`, and as `runAction` */
export async function runFoundAction(
  context: Context,
  principal: Principal,
  { named, connectionsOf }: Actions,
  call: ToolCall,
): Promise<ToolResult> {
  const { action, inputs, connection } = parse(RunAction, call.inputs)
  const { signal, onProgress, dryRun } = call
  const one = [...named.values()].find(({ id }) => id === action)
  if (!one) return refusal(`there is no action "${action}" that this key may run; search_actions names them`)
  const connections = connectionsOf(one.integration.name)
  return callAction(context, principal, {
    one,
    inputs,
    connection,
    connections,
    signal,
    onProgress,
    ...(dryRun && { dryRun }),
  })
}

function parse<Schema extends z.ZodType>(schema: Schema, inputs: ToolCall['inputs']): z.output<Schema> {
  const parsed = schema.safeParse(inputs)
  if (!parsed.success) throw toValidationError(toFaults(parsed.error))
  return parsed.data
}
