import type { Budget, CostGroup, PutBudget } from '@sluice/client/admin'
import { InvalidArgumentError, Option, type Command } from 'commander'
import { confirm } from '../confirm.ts'
import { openAdmin } from '../hub.ts'
import { withHub, withPages, type HubOptions, type PageOptions } from '../options.ts'
import { createOutput, toLines, toTable } from '../output.ts'

type MatchOptions = {
  readonly integration?: string
  readonly action?: string
  readonly connection?: string
  readonly user?: string
}

function withMatch(command: Command, action: string): Command {
  return command
    .option('--integration <name>')
    .option('--action <name>', action)
    .option('--connection <key>')
    .option('--user <id>', 'user_id of the keys that run')
}

const toMatch = ({ integration, action, connection, user }: MatchOptions): MatchOptions => ({
  ...(integration !== undefined && { integration }),
  ...(action !== undefined && { action }),
  ...(connection !== undefined && { connection }),
  ...(user !== undefined && { user }),
})

/** Runs of actions, what they have cost, and what they may cost. */
export function addSpending(program: Command): void {
  addRuns(program)
  addCosts(program)
  addBudgets(program)
}

function addRuns(program: Command): void {
  withMatch(withPages(withHub(program.command('runs'))), 'its name, without the integration')
    .summary('runs of actions in the last 7 days')
    .description('Runs of actions, newest first; they are kept for 7 days.')
    .option('--type <type>', 'action, action_error, validation_error, error, timed-out, cancelled, crashed, …')
    .addHelpText('after', '\nExample: sluice runs --integration slack --type error')
    .action(async (options: HubOptions & PageOptions & MatchOptions & { readonly type?: string }) => {
      const { limit, cursor, type } = options
      const page = await openAdmin(options).listRuns({ limit, cursor, type, ...toMatch(options) })
      const rows = page.runs.map((run) => [
        run.at,
        `${run.integration}.${run.action}`,
        run.connection,
        run.user_id,
        run.door,
        run.type,
        run.ms,
        run.cost_usd,
      ])
      const head = ['AT', 'ACTION', 'CONNECTION', 'USER', 'DOOR', 'TYPE', 'MS', 'USD']
      createOutput(options).page(page, toTable(head, rows))
    })
}

type CostOptions = HubOptions &
  PageOptions &
  MatchOptions & { readonly from?: string; readonly to?: string; readonly by: CostGroup }

function addCosts(program: Command): void {
  withMatch(withPages(withHub(program.command('costs'))), 'its name, without the integration')
    .summary('what runs have cost')
    .description('What runs have cost, added up; this month unless days are given.')
    .option('--from <day>', 'as 2026-11-01, in UTC; default the first of the month')
    .option('--to <day>', 'default today')
    .addOption(
      new Option('--by <group>').choices(['integration', 'action', 'connection', 'user', 'day']).default('integration'),
    )
    .addHelpText('after', '\nExample: sluice costs --by user --from 2026-11-01')
    .action(async (options: CostOptions) => {
      const { limit, cursor, from, to, by } = options
      const query = { limit, cursor, from, to, group_by: by, ...toMatch(options) }
      const page = await openAdmin(options).listCosts(query)
      const rows = page.costs.map((cost) => [cost.group, cost.runs, cost.unpriced, cost.cost_usd])
      createOutput(options).page(page, toTable([by.toUpperCase(), 'RUNS', 'UNPRICED', 'USD'], rows))
    })
}

function addBudgets(program: Command): void {
  const budgets = program.command('budgets').summary('what runs may cost')
  withPages(withHub(budgets.command('list')))
    .description('Budgets, with what is spent of them.')
    .action(async (options: HubOptions & PageOptions) => {
      const page = await openAdmin(options).listBudgets({ limit: options.limit, cursor: options.cursor })
      const rows = page.budgets.map((one) => [
        one.key,
        Object.entries(one.match)
          .map((pair) => pair.join('='))
          .join(' ') || 'all runs',
        one.spent_usd,
        one.limit_usd,
        one.period,
        one.on_exceeded,
        one.state,
      ])
      const head = ['BUDGET', 'COUNTS', 'SPENT', 'LIMIT', 'PERIOD', 'BEYOND', 'STATE']
      createOutput(options).page(page, toTable(head, rows))
    })
  addPut(budgets)
  withHub(budgets.command('show'))
    .description('One budget.')
    .argument('<key>')
    .action(async (key: string, options: HubOptions) => show(options, await openAdmin(options).getBudget(key)))
  withHub(budgets.command('remove'))
    .description('Removes a budget: nothing is refused for it any more.')
    .argument('<key>')
    .option('--yes', 'do not ask')
    .action(async (key: string, options: HubOptions & { readonly yes?: boolean }) => {
      await confirm(`Remove budget ${key}?`, options.yes)
      await openAdmin(options).deleteBudget(key)
      createOutput(options).result({ key, removed: true }, `Budget ${key} is removed.`)
    })
}

const show = (options: HubOptions, budget: Budget): void => createOutput(options).result(budget, toLines(budget))

type PutOptions = HubOptions &
  MatchOptions &
  Pick<PutBudget, 'period'> & {
    readonly limit: number
    readonly warn?: boolean
  }

function addPut(budgets: Command): void {
  withMatch(withHub(budgets.command('put')), 'as slack.post_message')
    .description('Says what runs may cost. Without a choice of runs, all of the workspace count.')
    .argument('<key>', 'a-z 0-9 . _ -')
    .requiredOption('--limit <usd>', 'in a period', toAmount)
    .addOption(new Option('--period <period>', 'of the calendar, in UTC').choices(['day', 'month']).default('month'))
    .option('--warn', 'only tell by an event; else no run begins once the limit is reached')
    .addHelpText('after', '\nExample: sluice budgets put search --integration serper --limit 25 --period day')
    .action(async (key: string, options: PutOptions) => {
      const { limit, period, warn } = options
      const wanted = {
        limit_usd: limit,
        period,
        on_exceeded: warn ? 'warn' : 'refuse',
        match: toMatch(options),
      } as const
      show(options, await openAdmin(options).putBudget(key, wanted))
    })
}

function toAmount(text: string): number {
  const amount = Number(text)
  if (text.trim() === '' || !(amount >= 0)) throw new InvalidArgumentError('It must be an amount in USD, as 12.50.')
  return amount
}
