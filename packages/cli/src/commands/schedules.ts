import type { PutSchedule, Schedule } from '@sluice/client/admin'
import type { Command } from 'commander'
import { confirm } from '../confirm.ts'
import { openAdmin } from '../hub.ts'
import { readJsonObject, withHub, withPages, type HubOptions, type PageOptions } from '../options.ts'
import { createOutput, toLines, toTable } from '../output.ts'

export function addSchedules(program: Command): void {
  const schedules = program
    .command('schedules')
    .summary('events made by the clock, and events that wait for their time')
  withPages(withHub(schedules.command('list')))
    .description('Schedules of the workspace.')
    .action(async (options: HubOptions & PageOptions) => {
      const page = await openAdmin(options).listSchedules({ limit: options.limit, cursor: options.cursor })
      const rows = page.schedules.map((one) => [
        one.key,
        one.cron,
        one.time_zone,
        one.event.event_type,
        one.status,
        one.last_at,
        one.next_at,
      ])
      const head = ['SCHEDULE', 'CRON', 'TIME ZONE', 'EVENT TYPE', 'STATUS', 'LAST', 'NEXT']
      createOutput(options).page(page, toTable(head, rows))
    })
  addPut(schedules)
  addOnOne(schedules)
  addWaiting(schedules)
}

type PutOptions = HubOptions & {
  readonly cron: string
  readonly type: string
  readonly payload?: string
  readonly timeZone?: string
  readonly source?: string
  readonly subject?: string
}

function addPut(schedules: Command): void {
  withHub(schedules.command('put'))
    .description('Makes an event each time that a cron expression says, or changes what is made.')
    .argument('<key>', 'a-z 0-9 . _ -')
    .requiredOption(
      '--cron <expression>',
      'minute hour day month weekday, as "0 9 * * 1-5"; six fields begin with seconds',
    )
    .requiredOption('--type <event type>')
    .option('--payload <json>', 'an object, @FILE, or - for stdin; default {}')
    .option('--time-zone <name>', 'as Europe/Berlin; default UTC')
    .option('--source <source>')
    .option('--subject <subject>')
    .addHelpText(
      'after',
      "\nExample: sluice schedules put report --cron '0 9 * * 1-5' --time-zone Europe/Berlin --type report.due",
    )
    .action(async (key: string, options: PutOptions) => {
      const schedule = await openAdmin(options).putSchedule(key, toWanted(options))
      createOutput(options).result(schedule, toLines(schedule))
    })
}

function toWanted({ cron, type, payload = '{}', timeZone, source, subject }: PutOptions): PutSchedule {
  return {
    cron,
    ...(timeZone !== undefined && { time_zone: timeZone }),
    event: {
      event_type: type,
      payload: readJsonObject(payload, '--payload'),
      ...(source !== undefined && { source }),
      ...(subject !== undefined && { subject }),
    },
  }
}

function addOnOne(schedules: Command): void {
  const show = (options: HubOptions, schedule: Schedule): void =>
    createOutput(options).result(schedule, toLines(schedule))
  withHub(schedules.command('show'))
    .description('One schedule.')
    .argument('<key>')
    .action(async (key: string, options: HubOptions) => show(options, await openAdmin(options).getSchedule(key)))
  withHub(schedules.command('pause'))
    .description('Makes no events for now.')
    .argument('<key>')
    .action(async (key: string, options: HubOptions) => show(options, await openAdmin(options).pauseSchedule(key)))
  withHub(schedules.command('resume'))
    .description('Goes on with the next time; what was missed is not made up for.')
    .argument('<key>')
    .action(async (key: string, options: HubOptions) => show(options, await openAdmin(options).resumeSchedule(key)))
  withHub(schedules.command('remove'))
    .description('Removes a schedule.')
    .argument('<key>')
    .option('--yes', 'do not ask')
    .action(async (key: string, options: HubOptions & { readonly yes?: boolean }) => {
      await confirm(`Remove schedule ${key}?`, options.yes)
      await openAdmin(options).deleteSchedule(key)
      createOutput(options).result({ key, removed: true }, `Schedule ${key} is removed.`)
    })
}

function addWaiting(schedules: Command): void {
  withPages(withHub(schedules.command('waiting')))
    .description('Events that wait for their deliver_at, the next one first.')
    .action(async (options: HubOptions & PageOptions) => {
      const page = await openAdmin(options).listScheduledEvents({ limit: options.limit, cursor: options.cursor })
      const rows = page.scheduled_events.map((one) => [
        one.scheduled_id,
        one.event_type,
        one.source,
        one.subject,
        one.deliver_at,
      ])
      createOutput(options).page(page, toTable(['ID', 'EVENT TYPE', 'SOURCE', 'SUBJECT', 'DUE'], rows))
    })
  withHub(schedules.command('cancel'))
    .description('Takes out an event that waits: it will not be published.')
    .argument('<scheduled id>')
    .action(async (id: string, options: HubOptions) => {
      await openAdmin(options).cancelScheduledEvent(id)
      createOutput(options).result({ scheduled_id: id, cancelled: true }, `${id} is cancelled.`)
    })
}
