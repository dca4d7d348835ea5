import type { PutTrigger, Trigger } from '@sluice/client/admin'
import { Option, type Command } from 'commander'
import { confirm } from '../confirm.ts'
import { exitCodes, usage } from '../exit.ts'
import { openAdmin } from '../hub.ts'
import { readJson, wholeNumber, withHub, withPages, type HubOptions, type PageOptions } from '../options.ts'
import { createOutput, toLines, toTable } from '../output.ts'

type PutOptions = HubOptions & {
  readonly integration: string
  readonly trigger: string
  readonly connection?: string
  readonly inputs?: string
  readonly every?: number
  readonly firstPoll?: 'prime' | 'emit'
  readonly lookBack?: number
}

export function addTriggers(program: Command): void {
  const triggers = program.command('triggers').summary('polling triggers at work')
  withPages(withHub(triggers.command('list')))
    .description('Polling triggers of the workspace.')
    .action(async (options: HubOptions & PageOptions) => {
      const page = await openAdmin(options).listTriggers({ limit: options.limit, cursor: options.cursor })
      const rows = page.triggers.map((one) => [
        one.key,
        `${one.integration}.${one.polling_trigger}`,
        one.connection,
        one.status,
        one.last_poll_at,
        one.next_poll_at,
        one.last_error,
      ])
      const head = ['TRIGGER', 'EVENT TYPE', 'CONNECTION', 'STATUS', 'LAST GOOD POLL', 'NEXT POLL', 'ERROR']
      createOutput(options).page(page, toTable(head, rows))
    })
  addPut(triggers)
  addOnOne(triggers)
}

function addPut(triggers: Command): void {
  withHub(triggers.command('put'))
    .description('Activates a polling trigger, or changes it. Its new records become events INTEGRATION.TRIGGER.')
    .argument('<key>', 'a-z 0-9 . _ -')
    .requiredOption('--integration <name>')
    .requiredOption('--trigger <name>', 'which polling trigger of it')
    .option('--connection <key>', 'whose credentials; see sluice connections')
    .option('--inputs <json>', 'an object, or @FILE')
    .option('--every <seconds>', 'instead of the interval that the integration has', wholeNumber(5, 2_592_000))
    .addOption(
      new Option('--first-poll <how>', 'what is there already: take note of it (default), or publish it').choices([
        'prime',
        'emit',
      ]),
    )
    .option('--look-back <seconds>', 'ask again this far before the last poll; default 300', wholeNumber(0, 2_592_000))
    .action(async (key: string, options: PutOptions) => {
      const trigger = await openAdmin(options).putTrigger(key, toWanted(options))
      createOutput(options).result(trigger, toLines(trigger))
    })
}

function toWanted(options: PutOptions): PutTrigger {
  const inputs = options.inputs === undefined ? undefined : readJson('--inputs', options.inputs)
  if (inputs !== undefined && (typeof inputs !== 'object' || inputs === null))
    throw usage('--inputs must be a JSON object, or @FILE')
  return {
    integration: options.integration,
    polling_trigger: options.trigger,
    ...(options.connection !== undefined && { connection: options.connection }),
    ...(inputs && { inputs: inputs as Record<string, unknown> }), // checked above
    ...(options.every !== undefined && { interval_seconds: options.every }),
    ...(options.firstPoll !== undefined && { first_poll: options.firstPoll }),
    ...(options.lookBack !== undefined && { look_back_seconds: options.lookBack }),
  }
}

function addOnOne(triggers: Command): void {
  const show = (options: HubOptions, trigger: Trigger): void => createOutput(options).result(trigger, toLines(trigger))
  withHub(triggers.command('show'))
    .description('One trigger: settings, and how its polls go.')
    .argument('<key>')
    .action(async (key: string, options: HubOptions) => show(options, await openAdmin(options).getTrigger(key)))
  withHub(triggers.command('pause'))
    .description('Polls no more for now.')
    .argument('<key>')
    .action(async (key: string, options: HubOptions) => show(options, await openAdmin(options).pauseTrigger(key)))
  withHub(triggers.command('resume'))
    .description('Goes on where it was.')
    .argument('<key>')
    .action(async (key: string, options: HubOptions) => show(options, await openAdmin(options).resumeTrigger(key)))
  withHub(triggers.command('run'))
    .description('Polls now, and says what came of it. Exit code 1 if the poll failed.')
    .argument('<key>')
    .action(async (key: string, options: HubOptions) => {
      const poll = await openAdmin(options).runTrigger(key)
      createOutput(options).result(poll, toLines(poll))
      process.exitCode = poll.outcome === 'good' ? exitCodes.done : exitCodes.failed
    })
  withPages(withHub(triggers.command('polls')))
    .description('What its polls found, newest first.')
    .argument('<key>')
    .action(async (key: string, options: HubOptions & PageOptions) => {
      const page = await openAdmin(options).listPolls(key, { limit: options.limit, cursor: options.cursor })
      const rows = page.polls.map(({ at, outcome, found, published, ms, error }) => [
        at,
        outcome,
        found,
        published,
        ms,
        error,
      ])
      createOutput(options).page(page, toTable(['AT', 'OUTCOME', 'FOUND', 'PUBLISHED', 'MS', 'ERROR'], rows))
    })
  withHub(triggers.command('remove'))
    .description('Removes a trigger, with what it remembers.')
    .argument('<key>')
    .option('--yes', 'do not ask')
    .action(async (key: string, options: HubOptions & { readonly yes?: boolean }) => {
      await confirm(`Remove trigger ${key}, and what it remembers?`, options.yes)
      await openAdmin(options).deleteTrigger(key)
      createOutput(options).result({ key, removed: true }, `Trigger ${key} is removed.`)
    })
}
