import type { Admin, Inbox, PatchInbox, ReplayedRange, ReplayRange } from '@sluice/client/admin'
import { InvalidArgumentError, Option, type Command } from 'commander'
import { toActionSettings, withAction, type ActionOptions } from '../action-options.ts'
import { confirm } from '../confirm.ts'
import { usage } from '../exit.ts'
import { toFilter, withFilter, type FilterOptions } from '../filter-options.ts'
import { openAdmin } from '../hub.ts'
import {
  toPastTime,
  toPlaceInTime,
  wholeNumber,
  withHub,
  withPages,
  type HubOptions,
  type PageOptions,
} from '../options.ts'
import { createOutput, toLines, toTable } from '../output.ts'

type SettingsOptions = HubOptions &
  FilterOptions &
  ActionOptions & {
    readonly start?: string
    readonly owner?: string
    readonly leaseSeconds?: number
    readonly maxAttempts?: number
    readonly retry?: readonly number[]
    readonly ordering?: 'none' | 'key'
    readonly onDead?: 'continue' | 'block'
  }

export function addInboxes(program: Command): void {
  const inboxes = program.command('inboxes').summary('named views of the log with progress of their own')
  addReading(inboxes)
  addChanging(inboxes)
  addSteering(inboxes)
  addReplay(inboxes)
}

function addReading(inboxes: Command): void {
  withPages(withHub(inboxes.command('list')))
    .description('All inboxes with their progress.')
    .action(async (options: HubOptions & PageOptions) => {
      const page = await openAdmin(options).listInboxes({ limit: options.limit, cursor: options.cursor })
      createOutput(options).page(page, toInboxTable(page.inboxes))
    })
  withHub(inboxes.command('show'))
    .description('One inbox: settings and progress.')
    .argument('<key>')
    .action(async (key: string, options: HubOptions) => show(options, await openAdmin(options).getInbox(key)))
}

function addChanging(inboxes: Command): void {
  withSettings(withHub(inboxes.command('create').alias('ensure').alias('put')))
    .description(
      'Makes an inbox, or sees to it that it is there with these settings. It never changes one: see update.',
    )
    .argument('<key>', 'a-z 0-9 . _ -')
    .addHelpText('after', example)
    .option('--start <where>', 'latest, earliest, a time, or so long ago, as 1h (default latest)', toPlaceInTime)
    .action(async (key: string, options: SettingsOptions) => {
      const settings = { ...toSettings(options), ...(options.start !== undefined && { start: options.start }) }
      show(options, await openAdmin(options).putInbox(key, settings))
    })
  withSettings(withHub(inboxes.command('update')))
    .description('Changes settings; a new filter holds for events that were not looked at yet.')
    .argument('<key>')
    .action(async (key: string, options: SettingsOptions) => {
      const changes = toSettings(options)
      if (Object.keys(changes).length === 0)
        throw usage('say what to change, as: sluice inboxes update crm --lease-seconds 60')
      show(options, await openAdmin(options).patchInbox(key, changes))
    })
  withHub(inboxes.command('delete'))
    .description('Removes an inbox with its dead letters. The events stay in the log.')
    .argument('<key>')
    .option('--yes', 'do not ask')
    .action(async (key: string, options: HubOptions & { yes?: boolean }) => {
      await confirm(`Delete inbox ${key} with its progress and dead letters?`, options.yes)
      await openAdmin(options).deleteInbox(key)
      createOutput(options).result({ key, deleted: true }, `Inbox ${key} is deleted.`)
    })
}

const example = `
Example:
  sluice inboxes put issues-to-slack --type github.new_issue --action slack.post_message --connection team \\
    --inputs '{"channel":"#issues","text":"=payload.title"}'`

function addSteering(inboxes: Command): void {
  withHub(inboxes.command('pause'))
    .description('Hands nothing out until resumed. Events keep coming in and wait.')
    .argument('<key>')
    .action(async (key: string, options: HubOptions) => show(options, await openAdmin(options).pauseInbox(key)))
  withHub(inboxes.command('resume'))
    .description('Hands out again.')
    .argument('<key>')
    .action(async (key: string, options: HubOptions) => show(options, await openAdmin(options).resumeInbox(key)))
  withHub(inboxes.command('test'))
    .description('Sends an example event to where the inbox pushes, and shows the answer.')
    .argument('<key>')
    .action(async (key: string, options: HubOptions) => {
      const tested = await openAdmin(options).testPush(key)
      createOutput(options).result(tested, toLines(tested))
      if (!tested.ok) process.exitCode = 1
    })
  withHub(inboxes.command('rotate-secret'))
    .description('A new secret for a push, shown once. The old one signs, too, until the overlap is over.')
    .argument('<key>')
    .option('--overlap-seconds <s>', 'how long (default 86400)', wholeNumber(0, 2_592_000))
    .action(async (key: string, options: HubOptions & { overlapSeconds?: number }) => {
      const { overlapSeconds } = options
      const body = overlapSeconds === undefined ? {} : { overlap_seconds: overlapSeconds }
      const rotated = await openAdmin(options).rotatePushSecret(key, body)
      createOutput(options).result(rotated, rotated.secret)
    })
  withHub(inboxes.command('seek'))
    .description('Goes elsewhere in the log and forgets leases and delays; dead letters stay.')
    .argument('<key>')
    .argument('<to>', 'earliest, latest, a time, so long ago, as 1h, or an event id', toPlaceInTime)
    .action(async (key: string, to: string, options: HubOptions) =>
      show(options, await openAdmin(options).seekInbox(key, { to })),
    )
}

type ReplayOptions = HubOptions &
  FilterOptions & {
    readonly after?: string
    readonly before?: string
    readonly ignoreFilter?: boolean
    readonly dryRun?: boolean
    readonly yes?: boolean
  }

function addReplay(inboxes: Command): void {
  withFilter(withHub(inboxes.command('replay')))
    .description('Hands events of the past out again: those that the inbox wants, and this filter as well.')
    .argument('<key>')
    .option('--after <time>', 'accepted after this time, or after so long ago, as 2h', toPastTime)
    .option('--before <time>', 'accepted before this time, or before so long ago, as 1h', toPastTime)
    .option('--ignore-filter', 'although the filter of the inbox does not want them')
    .option('--dry-run', 'only count')
    .option('--yes', 'do not ask')
    .addHelpText('after', '\nExample: sluice inboxes replay crm --after 2h --type order.* --dry-run')
    .action(async (key: string, options: ReplayOptions) => {
      const admin = openAdmin(options)
      const range = toRange(options)
      const counted = await replayAll(admin, key, { ...range, dry_run: true })
      if (!options.dryRun) await confirm(`Hand ${counted.replayed} events out again in ${key}?`, options.yes)
      const total = options.dryRun ? counted : await replayAll(admin, key, range)
      const words = options.dryRun ? 'would be handed out again' : 'are handed out again'
      createOutput(options).result(total, `${total.replayed} events ${words}; ${total.looked_at} looked at.`)
    })
}

function toRange({ after, before, ignoreFilter, ...options }: ReplayOptions): ReplayRange {
  const filter = toFilter(options)
  return {
    ...(after !== undefined && { after }),
    ...(before !== undefined && { before }),
    ...(filter && { filter }),
    ...(ignoreFilter && { ignore_filter: true }),
  }
}

type Total = Pick<ReplayedRange, 'replayed' | 'left' | 'looked_at' | 'dry_run'>

async function replayAll(admin: Admin, key: string, range: ReplayRange): Promise<Total> {
  const total = { replayed: 0, left: 0, looked_at: 0, dry_run: range.dry_run === true }
  for (let cursor: string | undefined; ;) {
    const step = await admin.replayRange(key, { ...range, ...(cursor !== undefined && { cursor }) })
    total.replayed += step.replayed
    total.left += step.left
    total.looked_at += step.looked_at
    if (step.next_cursor === null) return total
    cursor = step.next_cursor
  }
}

function withSettings(command: Command): Command {
  return withAction(withFilter(command))
    .option('--owner <owner>', 'whose it is')
    .option('--lease-seconds <s>', 'how long a lease lasts', wholeNumber(1, 3600))
    .option('--max-attempts <n>', 'hand-outs before an event is a dead letter', wholeNumber(1, 1000))
    .option('--retry <seconds>', 'delays after failures, as 1,10,60; the last repeats', toSchedule)
    .addOption(
      new Option('--ordering <how>', 'key: one event of a subject at a time, in order').choices(['none', 'key']),
    )
    .addOption(
      new Option('--on-dead <what>', 'with --ordering key: whether a dead letter holds back its subject').choices([
        'continue',
        'block',
      ]),
    )
}

function toSettings(options: SettingsOptions): PatchInbox {
  const filter = toFilter(options)
  const { owner, leaseSeconds, maxAttempts, retry, ordering, onDead } = options
  return {
    ...(filter && { filter }),
    ...(owner !== undefined && { owner: owner === '' ? null : owner }),
    ...(leaseSeconds !== undefined && { lease_seconds: leaseSeconds }),
    ...(maxAttempts !== undefined && { max_attempts: maxAttempts }),
    ...(retry && { retry: { schedule_seconds: [...retry] } }),
    ...(ordering && { ordering }),
    ...(onDead && { on_dead: onDead }),
    ...toActionSettings(options),
  }
}

function toSchedule(text: string): number[] {
  if (text === '') return []
  const seconds = text.split(',').map(Number)
  if (seconds.every((value) => Number.isInteger(value) && value >= 0)) return seconds
  throw new InvalidArgumentError('It must be whole seconds with commas between them, as 1,10,60.')
}

function show(options: HubOptions, inbox: Inbox): void {
  createOutput(options).result(inbox, toLines(inbox))
}

function toInboxTable(inboxes: readonly Inbox[]): string {
  return toTable(
    ['INBOX', 'STATUS', 'BEHIND', 'WAITING', 'LEASED', 'PARKED', 'DEAD', 'OLDEST'],
    inboxes.map(({ key, status, behind, waiting, leased, parked, dead, oldest_age_seconds: oldest }) => {
      return [key, status, behind, waiting, leased, parked, dead, oldest === null ? null : `${Math.round(oldest)} s`]
    }),
  )
}
