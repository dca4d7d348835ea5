import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { parseConfig, type IntegrationConfig } from './config.ts'
import { findEntry, loadFolder } from './folder.ts'
import { authTypes } from './read-auth.ts'
import { toPointer, type Note } from './report.ts'

/** What was found out about one configuration. */
export type Validated = {
  readonly file: string
  /** null where the file cannot be read at all */
  readonly name: string | null
  readonly ok: boolean
  readonly actions: number
  readonly polling_triggers: number
  /** inputs and outputs of actions and triggers, and the fields of auth */
  readonly schemas: number
  readonly repairs: readonly Note[]
  readonly errors: readonly Note[]
  /** what the tooling of the format asks for beside the configuration */
  readonly warnings: readonly Note[]
}

export type ValidateOptions = { readonly strict?: boolean }

/** The configurations under a path: the file itself, that of an integration's folder, or those of a folder of either. */
export function findConfigs(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path]
  const own = join(path, 'config.json')
  if (existsSync(own)) return [own]
  const entries = readdirSync(path, { withFileTypes: true }).toSorted((left, right) =>
    left.name.localeCompare(right.name),
  )
  return entries.flatMap((entry) => {
    const inside = join(path, entry.name)
    if (entry.isDirectory()) return existsSync(join(inside, 'config.json')) ? [join(inside, 'config.json')] : []
    return entry.name.endsWith('.json') ? [inside] : []
  })
}

/** Checks one configuration, and its handlers where there are any. */
export async function validateConfig(file: string, options: ValidateOptions = {}): Promise<Validated> {
  const { config, repairs, errors } = parseConfig(readFileSync(file, 'utf8'), options)
  const inFolder = basename(file) === 'config.json'
  const folder = dirname(file)
  const missing = config && inFolder ? await handlerFaults(folder, config) : []
  const all = [...errors, ...missing]
  return {
    file,
    name: config?.name ?? null,
    ok: all.length === 0,
    ...(config ? countOf(config) : { actions: 0, polling_triggers: 0, schemas: 0 }),
    repairs,
    errors: all,
    warnings: config ? [...configWarnings(config), ...(inFolder ? folderWarnings(folder, config) : [])] : [],
  }
}

function countOf({
  actions,
  polling_triggers: triggers,
  auth,
}: IntegrationConfig): Pick<Validated, 'actions' | 'polling_triggers' | 'schemas'> {
  const [actionCount, triggerCount] = [Object.keys(actions).length, Object.keys(triggers).length]
  const schemas = 2 * (actionCount + triggerCount) + (auth?.methods ?? []).filter(({ fields }) => fields).length
  return { actions: actionCount, polling_triggers: triggerCount, schemas }
}

async function handlerFaults(folder: string, config: IntegrationConfig): Promise<Note[]> {
  const entry = findEntry(folder, config.entry_point)
  if (entry === undefined) return []
  try {
    const integration = await loadFolder(folder)
    return integration
      .missingHandlers()
      .map((what) => ({ pointer: '', detail: `${basename(entry)} has no handler for ${what}` }))
  } catch (error) {
    return [
      {
        pointer: '',
        detail: `${basename(entry)} cannot be loaded: ${error instanceof Error ? error.message : String(error)}`,
      },
    ]
  }
}

function configWarnings(config: IntegrationConfig): Note[] {
  const warnings: Note[] = []
  const warn = (pointer: string, detail: string): void => void warnings.push({ pointer, detail })
  if (config.display_name === undefined) warn('/display_name', 'is missing: the name that people read')
  if (!/^\d+\.\d+\.\d+$/.test(config.version)) warn('/version', `"${config.version}" is not x.y.z`)
  if (Object.keys(config.actions).length + Object.keys(config.polling_triggers).length === 0)
    warn('/actions', 'there are none, and no polling triggers')
  const { auth } = config
  if (auth && auth.type !== 'choice' && !authTypes.includes(auth.type))
    warn('/auth/type', `"${auth.type}" is not known here`)
  for (const { id, oauth2 } of auth?.methods ?? []) {
    const at = id === 'default' ? '/auth' : toPointer('auth', 'methods', id)
    if (oauth2 && !oauth2.provider)
      warn(
        `${at}/provider`,
        'is not known here: add oauth2 with its addresses, or tokens must be brought to each connection',
      )
  }
  for (const [name, action] of Object.entries(config.actions)) {
    if (!/^[a-z][a-z0-9_]*$/.test(name)) warn(toPointer('actions', name), 'should be in snake_case')
    if (action.display_name === undefined) warn(toPointer('actions', name, 'display_name'), 'is missing')
  }
  return warnings
}

/** For folders that are laid out as an integration; a bare configuration has none of it. */
function folderWarnings(folder: string, config: IntegrationConfig): Note[] {
  const warn = (detail: string): Note => ({ pointer: '', detail })
  const has = (...names: readonly string[]): boolean => names.some((name) => existsSync(join(folder, name)))
  return [
    ...(findEntry(folder, config.entry_point) === undefined
      ? [warn('has no handlers in TypeScript or JavaScript')]
      : []),
    ...(has('README.md') ? [] : [warn('has no README.md')]),
    ...(has('icon.png', 'icon.svg') ? [] : [warn('has no icon.png or icon.svg')]),
    ...(hasTests(folder) ? [] : [warn('has no tests')]),
    ...(/^[a-z][a-z0-9-]*$/.test(basename(folder))
      ? []
      : [warn(`the folder "${basename(folder)}" should be in lower case with hyphens`)]),
  ]
}

function hasTests(folder: string): boolean {
  return existsSync(join(folder, 'tests')) || readdirSync(folder).some((name) => /\.test\.[cm]?[jt]s$/.test(name))
}
