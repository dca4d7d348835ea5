import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { createRequire, findPackageJSON } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** Entries of the SDK that handlers import, and where this hub has them. */
const sdkEntries = ['@sluice/sdk/integration', '@sluice/sdk/testing']

/** Handlers get the hub's own SDK, whether their folder has one or not. */
export function sdkModules(): Record<string, string> {
  return Object.fromEntries(sdkEntries.map((entry) => [entry, import.meta.resolve(entry)]))
}

/**
 * What a process may read: the integration's folder, this one, the SDK, and the packages that the integration's `package.json` names
 * with all that these need. Single packages, not the folder that holds them: in a workspace there are links to everything in it.
 */
export function findReadable(folder: string): string[] {
  const own = [import.meta.dirname, join(import.meta.dirname, '..', '..', 'package.json')]
  const packages = new Set<string>()
  addPackage(packages, '@sluice/sdk', import.meta.url)
  const manifest = join(folder, 'package.json')
  if (existsSync(manifest)) {
    for (const name of dependenciesOf(manifest)) addPackage(packages, name, pathToFileURL(manifest).href)
  }
  return [...new Set([folder, realpathSync(folder), ...own, ...packages])]
}

/** A package with its dependencies, by the address that it is found at and the one that this leads to. */
function addPackage(packages: Set<string>, name: string, from: string): void {
  const manifest = findManifest(name, from)
  if (manifest === undefined) return
  const real = realpathSync(dirname(manifest))
  if (packages.has(real)) return
  packages.add(real)
  packages.add(dirname(manifest))
  for (const needed of dependenciesOf(manifest))
    addPackage(packages, needed, pathToFileURL(join(real, 'package.json')).href)
}

function findManifest(name: string, from: string): string | undefined {
  try {
    // The folders in which it may lie, nearest first: as it is found, links and all.
    const folders = createRequire(from).resolve.paths(name) ?? []
    const linked = folders.map((path) => join(path, name, 'package.json')).find((path) => existsSync(path))
    return linked ?? findPackageJSON(name, from)
  } catch {
    return undefined
  }
}

function dependenciesOf(manifest: string): string[] {
  const { dependencies = {} }: { dependencies?: Record<string, string> } = JSON.parse(readFileSync(manifest, 'utf8'))
  return Object.keys(dependencies)
}
