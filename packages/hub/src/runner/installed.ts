import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { findEntry, readFolderConfig } from '@sluice/sdk/folder'
import type { IntegrationConfig } from '@sluice/sdk/integration'

/** An integration that this node can run. */
export type Installed = {
  /** of its folder */
  readonly name: string
  readonly folder: string
  readonly config: IntegrationConfig
}

export type Installation = {
  readonly integrations: ReadonlyMap<string, Installed>
  /** folders that were left out, and why */
  readonly faults: readonly string[]
}

/** A name that can stand in addresses. */
const namePattern = /^[a-z0-9][a-z0-9._-]{0,99}$/

/** Reads the integrations in a folder: each is a folder of its own with a `config.json` and handlers. */
export function readInstalled(directory: string | undefined): Installation {
  const integrations = new Map<string, Installed>()
  const faults: string[] = []
  if (directory === undefined) return { integrations, faults }
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const folder = resolve(join(directory, entry.name))
    if (!entry.isDirectory()) continue
    const { config, errors } = readFolderConfig(folder)
    const fault = findFault(entry.name, folder, config)
    if (errors.length > 0)
      faults.push(`${folder}: ${errors.map(({ pointer, detail }) => `${pointer} ${detail}`).join('; ')}`)
    else if (fault !== undefined) faults.push(`${folder}: ${fault}`)
    else if (config) integrations.set(entry.name, { name: entry.name, folder, config })
  }
  return { integrations, faults }
}

function findFault(name: string, folder: string, config: IntegrationConfig | undefined): string | undefined {
  if (!config) return undefined
  if (!namePattern.test(name)) return 'the name of the folder must be lower-case letters, digits and hyphens'
  return findEntry(folder, config.entry_point) === undefined ? 'has no handlers' : undefined
}
