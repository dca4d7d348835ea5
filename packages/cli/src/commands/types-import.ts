import { readFileSync } from 'node:fs'
import type { EventTypeMode, EventTypesImported, ImportEventTypes } from '@sluice/client/admin'
import { Option, type Command } from 'commander'
import { parse } from 'yaml'
import { CommandError, exitCodes, usage } from '../exit.ts'
import { openAdmin } from '../hub.ts'
import { withHub, type HubOptions } from '../options.ts'
import { createOutput, toTable } from '../output.ts'

type FromOptions = HubOptions & { readonly catalogue?: boolean }
type ImportOptions = FromOptions & {
  readonly mode?: EventTypeMode
  readonly allowIncompatible?: boolean
  readonly dryRun?: boolean
}

/** @param types the command that this one belongs to */
export function addTypesImport(types: Command): void {
  withSource(types.command('import'))
    .summary('make and change event types from a file: all or none')
    .description('Makes and changes the event types of a topic file, or of the catalogue: all or none.')
    .addOption(
      new Option('--mode <mode>', 'of new event types that do not say (default warn)').choices([
        'off',
        'warn',
        'quarantine',
        'reject',
      ]),
    )
    .option('--allow-incompatible', 'also where a schema refuses what it took before')
    .option('--dry-run', 'only say what would change')
    .action(async (file: string | undefined, options: ImportOptions) => {
      const { mode, allowIncompatible, dryRun } = options
      const body = await readSource(file, options)
      const imported = await openAdmin(options).importEventTypes(body, { mode, allowIncompatible, dryRun })
      const output = createOutput(options)
      output.result(imported, toWords(imported))
      if (mode && !output.isJson) for (const words of toStaying(imported, mode)) output.note(words)
    })
}

/** Whoever asks for a mode should know where it is another one: that of what is there already stays. */
function toStaying({ results }: EventTypesImported, asked: EventTypeMode): string[] {
  const others = Map.groupBy(results, ({ mode }) => mode)
  others.delete(asked)
  return [...others].map(([mode, of]) => {
    const [first] = of
    const which = of.length === 1 ? (first?.name ?? '') : `${of.length} event types`
    return `The mode of ${which} stays ${mode}: sluice types set '${of.length === 1 ? which : '*'}' --mode ${asked} changes it.`
  })
}

/** @param types the command that this one belongs to */
export function addTypesCheck(types: Command): void {
  withSource(types.command('check'))
    .summary('compare a file with the hub; exit code 1 if a schema would refuse more')
    .description(
      'Compares the event types of a topic file, or of the catalogue, with those of the hub, and changes nothing. Exit code 1 says that a schema would refuse what the one of the hub takes.',
    )
    .action(async (file: string | undefined, options: FromOptions) => {
      const body = await readSource(file, options)
      const compared = await openAdmin(options).importEventTypes(body, { dryRun: true })
      createOutput(options).result(compared, toWords(compared))
      const incompatible = compared.results.filter(({ change }) => change === 'incompatible').length
      if (incompatible > 0) throw new CommandError(exitCodes.failed, `${incompatible} incompatible`)
    })
}

function withSource(command: Command): Command {
  return withHub(command)
    .argument('[file]', 'topic definitions, or {"event_types": […]}, in YAML or JSON; - for stdin')
    .option('--catalogue', 'the canonical event types of @sluice/client/catalogue instead')
}

async function readSource(file: string | undefined, { catalogue }: FromOptions): Promise<ImportEventTypes> {
  if ((file === undefined) === (catalogue !== true)) throw usage('say which: a FILE, or --catalogue')
  return file === undefined ? readCatalogue() : readFile(file)
}

async function readCatalogue(): Promise<ImportEventTypes> {
  const { catalogue } = await import('@sluice/client/catalogue')
  const eventTypes = catalogue.map(({ event_type: name, description, domain, schema }) => ({
    name,
    description,
    category: domain,
    schema: { ...schema },
  }))
  return { event_types: eventTypes }
}

/** JSON is YAML. What stands in it is the hub's to judge: it names every fault. */
function readFile(file: string): ImportEventTypes {
  const read: unknown = parseText(file)
  if (typeof read === 'object' && read !== null && !Array.isArray(read)) return read
  throw usage(`${file} must hold an object with Topics or event_types`)
}

function parseText(file: string): unknown {
  try {
    return parse(readFileSync(file === '-' ? 0 : file, 'utf8'))
  } catch (cause) {
    throw usage(`cannot read ${file}: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
}

function toWords({ results, dry_run: dryRun }: EventTypesImported): string {
  const rows = results.flatMap(({ name, change, version, incompatible }) => [
    [name, change, version === 0 ? null : version, incompatible[0] && toLine(incompatible[0])],
    ...incompatible.slice(1).map((fault) => ['', '', '', toLine(fault)]),
  ])
  const counts = [...Map.groupBy(results, ({ change }) => change)].map(([change, of]) => `${of.length} ${change}`)
  const table = toTable(['TYPE', 'CHANGE', 'VERSION', 'NARROWER'], rows)
  return `${table}\n${counts.join(', ')}${dryRun ? '; nothing was changed' : ''}`
}

const toLine = ({ pointer, detail }: { readonly pointer: string; readonly detail: string }): string =>
  `${pointer} ${detail}`
