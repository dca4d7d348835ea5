import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseConfig, type ParsedConfig } from './config.ts'
import { ConfigurationError } from './error.ts'
import type { Integration } from './integration.ts'

/** Where the handlers of a folder are looked for, in this order, after the `entry_point` of its configuration. */
const entryNames = ['integration.ts', 'integration.js', 'integration.mjs', 'index.ts', 'index.js', 'index.mjs']

/** The module that holds the handlers of a folder; undefined for a bare configuration. */
export function findEntry(folder: string, entryPoint?: string): string | undefined {
  const named = entryPoint !== undefined && /\.[cm]?[jt]s$/.test(entryPoint) ? [entryPoint] : []
  return [...named, ...entryNames].map((name) => join(folder, name)).find((file) => existsSync(file))
}

/**
 * Loads an integration with its handlers from its folder: a `config.json`, and a module whose default export is the integration.
 *
 * @throws ConfigurationError that says what is missing; whatever the module throws
 */
export async function loadFolder(folder: string): Promise<Integration> {
  const { config, errors } = readFolderConfig(folder)
  if (config === undefined && errors.length > 0)
    throw new ConfigurationError(`${join(folder, 'config.json')} cannot be used:`, errors)
  const entry = findEntry(folder, config?.entry_point)
  if (entry === undefined)
    throw new ConfigurationError(`${folder} has no handlers; they are in ${entryNames.join(', ')}`)
  const loaded: { default?: unknown } = await import(pathToFileURL(resolve(entry)).href)
  if (!isIntegration(loaded.default))
    throw new ConfigurationError(`${entry} must export its integration: export default integration`)
  return loaded.default
}

/** The report on a folder's `config.json`; without errors and without a configuration where it has none. */
export function readFolderConfig(folder: string, options: { readonly strict?: boolean } = {}): ParsedConfig {
  const file = join(folder, 'config.json')
  if (!existsSync(file)) return { config: undefined, repairs: [], errors: [] }
  return parseConfig(readFileSync(file, 'utf8'), options)
}

function isIntegration(value: unknown): value is Integration {
  return typeof value === 'object' && value !== null && 'executeAction' in value && 'missingHandlers' in value
}
