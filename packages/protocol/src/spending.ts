import { z } from 'zod'
import { shortText } from './event.ts'
import { Slug } from './inbox.ts'

const usd = z.number().describe('US dollars, exact to a millionth')

/** What a run came in by. */
export const RunDoor = z.enum(['http', 'mcp', 'inbox'])
export type RunDoor = z.infer<typeof RunDoor>

export const Run = z
  .object({
    run_id: z.string(),
    at: z.string().describe('when it began'),
    ms: z.int().describe('how long it took'),
    integration: z.string(),
    action: z.string(),
    connection: z.string().nullable(),
    user_id: z.string(),
    key_id: z.string().nullable(),
    door: RunDoor.describe('what it came in by'),
    type: z
      .string()
      .describe(
        '`action` if it went well; `action_error`, `validation_error`, `error`; `timed-out`, `cancelled`, `crashed`, `exited`, `too-much-memory` if its process was ended',
      ),
    cost_usd: usd.nullable().describe('null: not known'),
  })
  .meta({ id: 'Run', description: 'a run of an action; listed for 7 days' })
export type Run = z.infer<typeof Run>

/** By what costs can be added up. */
export const CostGroup = z.enum(['integration', 'action', 'connection', 'user', 'day'])
export type CostGroup = z.infer<typeof CostGroup>

export const Cost = z
  .object({
    group: z.string().nullable().describe('null: runs without a connection'),
    runs: z.int(),
    unpriced: z.int().describe('runs whose cost is not known'),
    cost_usd: usd,
  })
  .meta({ id: 'Cost', description: 'what the runs of a group have cost' })
export type Cost = z.infer<typeof Cost>

/** Which runs count: all, unless a member says otherwise. */
const BudgetMatch = z
  .strictObject({
    integration: shortText(100).optional(),
    action: shortText(201).optional().describe('as `slack.post_message`'),
    connection: Slug.optional(),
    user: shortText().optional().describe('the user_id of the keys that run'),
  })
  .meta({ id: 'BudgetMatch' })

const isWholeMicros = (limit: number): boolean => Math.abs(limit * 1e6 - Math.round(limit * 1e6)) < 1e-3

export const PutBudget = z
  .strictObject({
    match: BudgetMatch.optional().describe('which runs count; default all'),
    limit_usd: z
      .number()
      .min(0)
      .max(1_000_000_000)
      .refine(isWholeMicros, 'has more than six decimals')
      .describe('in a period; at most six decimals'),
    period: z.enum(['day', 'month']).describe('of the calendar, in UTC'),
    on_exceeded: z
      .enum(['warn', 'refuse'])
      .describe('`refuse`: no run begins once the limit is reached; `warn`: only the events tell'),
  })
  .meta({ id: 'PutBudget' })
export type PutBudget = z.infer<typeof PutBudget>

export const Budget = z
  .object({
    key: Slug,
    match: BudgetMatch,
    limit_usd: usd,
    period: z.enum(['day', 'month']),
    on_exceeded: z.enum(['warn', 'refuse']),
    spent_usd: usd.describe('in this period'),
    state: z.enum(['open', 'near', 'exceeded']).describe('`near` from 80 % on'),
    opens_at: z.string().describe('when the next period begins'),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'Budget', description: 'what runs may cost in a day or a month' })
export type Budget = z.infer<typeof Budget>
