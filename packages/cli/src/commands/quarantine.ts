import type { QuarantineReleased, QuarantineSelection } from '@sluice/client/admin'
import type { Command } from 'commander'
import { confirm } from '../confirm.ts'
import { CommandError, exitCodes, usage } from '../exit.ts'
import { openAdmin } from '../hub.ts'
import { readJsonObject, withHub, withPages, type HubOptions, type PageOptions } from '../options.ts'
import { createOutput, toTable } from '../output.ts'

type TypeOption = { readonly type?: string }
type SelectOptions = HubOptions & TypeOption & { readonly dryRun?: boolean; readonly yes?: boolean }

export function addQuarantine(program: Command): void {
  const quarantine = program.command('quarantine').summary('events that their schemas keep back')
  addList(quarantine)
  addShow(quarantine)
  addRelease(quarantine)
  addFix(quarantine)
  addDiscard(quarantine)
}

function addList(quarantine: Command): void {
  withPages(withHub(quarantine.command('list')))
    .description('Oldest first, with what is wrong.')
    .option('--type <type>', 'those of this event type')
    .action(async (options: HubOptions & PageOptions & TypeOption) => {
      const { limit, cursor, type } = options
      const page = await openAdmin(options).listQuarantine({ limit, cursor, event_type: type })
      const rows = page.quarantined.map(({ quarantined_at: at, quarantine_id: id, event_type: of, errors }) => [
        at,
        id,
        of,
        errors.map(({ pointer, detail }) => `${pointer} ${detail}`).join('; '),
      ])
      const words = rows.length === 0 ? 'There are none.' : toTable(['SINCE', 'QUARANTINE ID', 'TYPE', 'FAULTS'], rows)
      createOutput(options).page(page, words)
    })
}

function addShow(quarantine: Command): void {
  withHub(quarantine.command('show'))
    .description('One of them, with the event.')
    .argument('<quarantine-id>')
    .action(async (id: string, options: HubOptions) => {
      const found = await openAdmin(options).getQuarantined(id)
      createOutput(options).result(found, JSON.stringify(found, null, 2))
    })
}

function addRelease(quarantine: Command): void {
  withSelection(quarantine.command('release'))
    .description('Checks again, and publishes what passes, each once. Exit code 5: some still do not match.')
    .action(async (ids: readonly string[], options: SelectOptions) => {
      const admin = openAdmin(options)
      const selection = toSelection(ids, options)
      const answer = await admin.releaseQuarantined(selection)
      // A request takes a thousand of a type.
      while (answer.next_cursor !== null) {
        const next = await admin.releaseQuarantined({ ...selection, cursor: answer.next_cursor })
        answer.results.push(...next.results)
        answer.released += next.released
        answer.kept += next.kept
        answer.next_cursor = next.next_cursor
      }
      createOutput(options).result(answer, toWords(answer))
      if (answer.kept > 0)
        throw new CommandError(answer.released > 0 ? exitCodes.partly : exitCodes.failed, `${answer.kept} stay`)
    })
}

function toWords({ released, dry_run: dryRun, results }: QuarantineReleased): string {
  const lines = results.flatMap(({ quarantine_id: id, status, errors = [] }) => {
    if (status === 'released') return []
    return `${id} ${status} ${errors.map(({ pointer, detail }) => `${pointer} ${detail}`).join('; ')}`.trimEnd()
  })
  return [...lines, `${released} ${dryRun ? 'would be released' : 'released'}.`].join('\n')
}

function addFix(quarantine: Command): void {
  withHub(quarantine.command('fix'))
    .description('Publishes it with another payload.')
    .argument('<quarantine-id>')
    .argument('<payload>', 'a JSON object, @FILE, or - for stdin')
    .action(async (id: string, payload: string, options: HubOptions) => {
      const accepted = await openAdmin(options).fixQuarantined(id, readJsonObject(payload, 'the payload'))
      createOutput(options).result(accepted, `${accepted.event_id} ${accepted.status}`)
    })
}

function addDiscard(quarantine: Command): void {
  withSelection(quarantine.command('discard'))
    .description('Gives them up for good.')
    .option('--yes', 'do not ask')
    .action(async (ids: readonly string[], options: SelectOptions) => {
      const admin = openAdmin(options)
      const selection = toSelection(ids, options)
      if (!options.dryRun) {
        const { count } = await admin.discardQuarantined({ ...selection, dry_run: true })
        await confirm(`Discard ${count} events in quarantine?`, options.yes)
      }
      const { count } = await admin.discardQuarantined(selection)
      const done = options.dryRun ? 'would be discarded' : 'discarded'
      createOutput(options).result({ count, dry_run: options.dryRun === true }, `${count} ${done}.`)
    })
}

function withSelection(command: Command): Command {
  return withHub(command)
    .argument('[quarantine-id...]', 'these')
    .option('--type <type>', 'all of this event type instead')
    .option('--dry-run', 'only say what would be done')
}

function toSelection(ids: readonly string[], { type, dryRun }: SelectOptions): QuarantineSelection {
  if (ids.length === 0 ? type === undefined : type !== undefined)
    throw usage('say which: quarantine ids, or --type TYPE')
  const choice = ids.length > 0 ? { quarantine_ids: [...ids] } : { event_type: type }
  return { ...choice, ...(dryRun && { dry_run: true }) }
}
