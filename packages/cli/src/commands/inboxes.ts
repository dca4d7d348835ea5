import type { Inbox, InboxSettings, PatchInbox } from '@sluice/protocol'
import { InvalidArgumentError, Option, type Command } from 'commander'
import { confirm } from '../confirm.ts'
import { usage } from '../exit.ts'
import { openAdmin } from '../hub.ts'
import {
  readJsonObject,
  several,
  toPlaceInTime,
  wholeNumber,
  withHub,
  withPages,
  type HubOptions,
  type PageOptions,
} from '../options.ts'
import { createOutput, toLines, toTable } from '../output.ts'

type Filter = InboxSettings['filter']

type SettingsOptions = HubOptions & {
  readonly type?: readonly string[]
  readonly source?: readonly string[]
  readonly subject?: readonly string[]
  readonly filter?: string
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
  withSettings(withHub(inboxes.command('create').alias('ensure')))
    .description(
      'Makes an inbox, or sees to it that it is there with these settings. It never changes one: see update.',
    )
    .argument('<key>', 'a-z 0-9 . _ -')
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

function addSteering(inboxes: Command): void {
  withHub(inboxes.command('pause'))
    .description('Hands nothing out until resumed. Events keep coming in and wait.')
    .argument('<key>')
    .action(async (key: string, options: HubOptions) => show(options, await openAdmin(options).pauseInbox(key)))
  withHub(inboxes.command('resume'))
    .description('Hands out again.')
    .argument('<key>')
    .action(async (key: string, options: HubOptions) => show(options, await openAdmin(options).resumeInbox(key)))
  withHub(inboxes.command('seek'))
    .description('Goes elsewhere in the log and forgets leases and delays; dead letters stay.')
    .argument('<key>')
    .argument('<to>', 'earliest, latest, a time, so long ago, as 1h, or an event id', toPlaceInTime)
    .action(async (key: string, to: string, options: HubOptions) =>
      show(options, await openAdmin(options).seekInbox(key, { to })),
    )
}

function withSettings(command: Command): Command {
  return command
    .option('--type <glob>', 'event types that it wants, as order.*; may be repeated', several)
    .option('--source <glob>', 'sources that it wants; may be repeated', several)
    .option('--subject <glob>', 'subjects that it wants; may be repeated', several)
    .option('--filter <json>', 'the whole filter: a JSON object, or @FILE')
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
  }
}

function toFilter({ type, source, subject, filter }: SettingsOptions): Filter | undefined {
  // The hub judges its members and names every fault.
  const whole = filter === undefined ? undefined : (readJsonObject(filter, '--filter') as Filter)
  if (!whole && !type && !source && !subject) return undefined
  return {
    ...whole,
    ...(type && { event_types: [...type] }),
    ...(source && { sources: [...source] }),
    ...(subject && { subjects: [...subject] }),
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
