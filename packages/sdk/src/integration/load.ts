import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { getCallSites } from 'node:util'
import { checkConfig, parseConfig, type ParsedConfig } from './config.ts'
import { ConfigurationError } from './error.ts'
import { createIntegration, type Integration } from './integration.ts'

export type LoadOptions = {
  /** refuses what would be mended; default false */
  readonly strict?: boolean
}

/**
 * Reads a `config.json`. Handlers are registered on what it answers.
 *
 * @param path of the file; where left out, the `config.json` beside the calling module
 * @throws ConfigurationError with every fault, or if the file cannot be read
 * @example const integration = await Integration.load()
 */
export async function loadIntegration(path?: string | URL, options: LoadOptions = {}): Promise<Integration> {
  const file = path === undefined ? besideCaller() : typeof path === 'string' ? path : fileURLToPath(path)
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new ConfigurationError(`${file} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`)
  })
  return toIntegration(parseConfig(text, options), file)
}

/** The same from an object. @throws ConfigurationError with every fault */
export function integrationFrom(config: unknown, options: LoadOptions = {}): Integration {
  return toIntegration(checkConfig(config, options), 'the configuration')
}

function toIntegration({ config, repairs, errors }: ParsedConfig, what: string): Integration {
  if (!config) throw new ConfigurationError(`${what} cannot be used:`, errors)
  return createIntegration(config, repairs)
}

const here = import.meta.url

/** The module that called `load`: the nearest on the stack that is none of this package. */
function besideCaller(): string {
  const folder = dirname(dirname(fileURLToPath(here)))
  const files = getCallSites(20, { sourceMap: false })
    .map(({ scriptName }) => scriptName)
    .filter((name) => name !== '' && !name.startsWith('node:'))
    .map((name) => (name.startsWith('file:') ? name : pathToFileURL(name).href))
  const caller = files.find((name) => !fileURLToPath(name).startsWith(folder))
  if (caller === undefined) throw new ConfigurationError('say where config.json is: Integration.load(new URL(…))')
  return join(dirname(fileURLToPath(caller)), 'config.json')
}
