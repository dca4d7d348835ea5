import type { Admin, EventTypeMode, EventTypeSaved, PutEventType } from '@sluice/client/admin'
import { Option, type Command } from 'commander'
import { confirm } from '../confirm.ts'
import { CommandError, exitCodes, usage } from '../exit.ts'
import { openAdmin } from '../hub.ts'
import { readJsonObject, withHub, withPages, type HubOptions, type PageOptions } from '../options.ts'
import { createOutput, toLines, toTable } from '../output.ts'
import { addTypesGenerate } from './types-generate.ts'
import { addTypesCheck, addTypesImport } from './types-import.ts'

export function addTypes(program: Command): void {
  const types = program.command('types').summary('event types, their schemas, and topic files')
  addList(types)
  addShow(types)
  addSet(types)
  addRemove(types)
  addTypesImport(types)
  addTypesCheck(types)
  addTypesGenerate(types)
}

function addList(types: Command): void {
  withPages(withHub(types.command('list')))
    .description('All event types, by name.')
    .option('--category <category>', 'those of this category')
    .action(async (options: HubOptions & PageOptions & { readonly category?: string }) => {
      const { limit, cursor, category } = options
      const page = await openAdmin(options).listEventTypes({ limit, cursor, category })
      const rows = page.event_types.map(({ name, mode, version, category: of, description }) => [
        name,
        mode,
        version === 0 ? null : version,
        of,
        description?.split('\n', 1)[0] ?? null,
      ])
      const words =
        rows.length === 0 ? 'There are none.' : toTable(['TYPE', 'MODE', 'VERSION', 'CATEGORY', 'DESCRIPTION'], rows)
      createOutput(options).page(page, words)
    })
}

function addShow(types: Command): void {
  withHub(types.command('show'))
    .description('One event type, with the versions of its schema (--json).')
    .argument('<name>')
    .action(async (name: string, options: HubOptions) => {
      const type = await openAdmin(options).getEventType(name)
      const { versions, schema, ...rest } = type
      const words = `${toLines({ ...rest, versions: versions.length })}\n${JSON.stringify(schema, null, 2)}`
      createOutput(options).result(type, words)
    })
}

const modes: readonly EventTypeMode[] = ['off', 'warn', 'quarantine', 'reject']

type SetOptions = HubOptions & {
  readonly schema?: string | false
  readonly description?: string
  readonly category?: string
  readonly entity?: string
  readonly action?: string
  readonly mode?: EventTypeMode
  readonly allowIncompatible?: boolean
}

function addSet(types: Command): void {
  withHub(types.command('set'))
    .description('Makes an event type, or changes what is given and leaves the rest.')
    .argument('<name>', 'as order.created; with --mode alone also a glob, as order.*, of those that are there')
    .option('--schema <json>', 'JSON Schema of the payload: a JSON object, @FILE, or - for stdin')
    .option('--no-schema', 'without a schema from now on')
    .option('--description <text>', 'what it means; empty: none')
    .option('--category <category>', 'what it belongs to')
    .option('--entity <entity>', 'what it is about, as Order')
    .option('--action <action>', 'what happened, as Created')
    .addOption(new Option('--mode <mode>', 'what becomes of a payload that does not match').choices(modes))
    .option('--allow-incompatible', 'also if the schema refuses what it took before')
    .action(async (name: string, options: SetOptions) => {
      const { allowIncompatible } = options
      if (name.includes('*')) return setMany(name, options)
      const saved = await openAdmin(options).putEventType(name, toSettings(options), { allowIncompatible })
      createOutput(options).result(saved, toWords(saved))
    })
}

async function setMany(glob: string, options: SetOptions): Promise<void> {
  const { mode, ...others } = toSettings(options)
  if (!mode || Object.keys(others).length > 0)
    throw usage('for many event types only the --mode can be set, and must be')
  const { matchesGlob } = await import('@sluice/protocol')
  const admin = openAdmin(options)
  const names = (await listAll(admin)).filter((name) => matchesGlob(glob, name))
  if (names.length === 0) throw new CommandError(exitCodes.failed, `no event type matches ${glob}`)
  for (const name of names) await admin.putEventType(name, { mode })
  createOutput(options).result({ names, mode }, `${names.length} event types are in the mode ${mode}.`)
}

async function listAll(admin: Admin): Promise<string[]> {
  const names: string[] = []
  let cursor: string | undefined
  do {
    const page = await admin.listEventTypes({ limit: 200, cursor })
    names.push(...page.event_types.map(({ name }) => name))
    cursor = page.pagination.next_cursor ?? undefined
  } while (cursor !== undefined)
  return names
}

function toSettings({ schema, description, category, entity, action, mode }: SetOptions): PutEventType {
  const orNull = (text: string): string | null => (text === '' ? null : text)
  return {
    // Whoever says neither --schema nor --no-schema has the default of the latter.
    ...(typeof schema === 'string' && { schema: readJsonObject(schema, '--schema') }),
    ...(schema === false && { schema: null }),
    ...(description !== undefined && { description: orNull(description) }),
    ...(category !== undefined && { category: orNull(category) }),
    ...(entity !== undefined && { entity: orNull(entity) }),
    ...(action !== undefined && { action: orNull(action) }),
    ...(mode && { mode }),
  }
}

const changes = { new: 'is new', same: 'is the same', compatible: 'is changed', incompatible: 'is changed' } as const

function toWords({ name, change, version, mode, incompatible }: EventTypeSaved): string {
  const schema = version === 0 ? 'no schema' : `version ${version} of its schema`
  const first = `${name} ${changes[change]}: ${schema}, mode ${mode}.`
  return [first, ...incompatible.map(({ pointer, detail }) => `  ${pointer} ${detail}`)].join('\n')
}

function addRemove(types: Command): void {
  withHub(types.command('remove'))
    .description('Removes an event type with its versions. Its events stay in the log.')
    .argument('<name>')
    .option('--yes', 'do not ask')
    .action(async (name: string, options: HubOptions & { readonly yes?: boolean }) => {
      await confirm(`Remove the event type ${name}?`, options.yes)
      await openAdmin(options).deleteEventType(name)
      createOutput(options).result({ name, removed: true }, `${name} is removed.`)
    })
}
