import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ConfigurationError } from '../integration/error.ts'
import type { Connector } from './define.ts'

const entryNames = ['connector.ts', 'connector.js', 'connector.mjs']

/** The module of a folder's connector; undefined where it has none. */
const findConnector = (folder: string): string | undefined =>
  entryNames.map((name) => join(folder, name)).find((file) => existsSync(file))

/**
 * Loads the connector of a folder: the default export of its `connector.ts`.
 *
 * @throws ConfigurationError that says what is missing; whatever the module throws
 */
export async function loadConnector(folder: string): Promise<Connector> {
  const entry = findConnector(folder)
  if (entry === undefined)
    throw new ConfigurationError(`${folder} is no connector: it has none of ${entryNames.join(', ')}`)
  const loaded: { default?: unknown } = await import(pathToFileURL(resolve(entry)).href)
  if (!isConnector(loaded.default))
    throw new ConfigurationError(`${entry} must export its connector: export default defineConnector({ … })`)
  return loaded.default
}

function isConnector(value: unknown): value is Connector {
  return typeof value === 'object' && value !== null && 'update' in value && 'schema' in value && 'name' in value
}
