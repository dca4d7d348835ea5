import { randomUUID } from 'node:crypto'
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Column } from '../destination.ts'
import { ConnectorError, toMessage } from '../error.ts'
import { toShortName } from '../names.ts'

/** What is committed of one table. */
export type KeptTable = {
  readonly key: readonly string[]
  readonly columns: readonly Column[]
  /** records of whole rows, or rows */
  readonly rows: number
  /** when the sync began that wrote a whole row last */
  readonly syncedAt?: string
  /** of its files, in their order */
  readonly files: readonly KeptFile[]
}

type KeptFile = { readonly name: string; readonly rows: number; readonly bytes: number }

/** All that is committed, in one file that is replaced as a whole: the state and what belongs to it change together. */
export type Manifest = {
  readonly format: 1
  /** of this load: another one, into the same place, is another load */
  readonly id: string
  readonly connector: string
  readonly commits: number
  readonly state?: string
  /** when a sync began that has told somebody what is not committed */
  readonly unfinished?: string
  readonly tables: Readonly<Record<string, KeptTable>>
}

/** A folder that belongs to one connector, and to one process at a time. */
export type ManifestFolder = {
  readonly path: string
  /** of the last commit */
  readonly read: () => Manifest
  /** Safe on disk when it returns. */
  readonly write: (manifest: Manifest) => void
  readonly close: () => void
}

/**
 * Opens the folder of a connector, made where there is none; a folder in the given one, by the name of the connector.
 *
 * @throws if its manifest cannot be read, or if another process has the folder for more than 10 seconds
 */
export async function openManifestFolder(folder: string, connector: string): Promise<ManifestFolder> {
  const path = join(folder, toFileName(connector))
  mkdirSync(path, { recursive: true })
  const unlock = await lock(path)
  const file = join(path, 'manifest.json')
  try {
    let last = readManifest(file) ?? { format: 1, id: randomUUID(), connector, commits: 0, tables: {} }
    const write = (manifest: Manifest): void => {
      writeSafely(file, `${JSON.stringify(manifest)}\n`)
      syncPath(path)
      last = manifest
    }
    // Its id is the same after a kill, also before the first commit.
    if (last.commits === 0) write(last)
    return { path, read: () => last, write, close: unlock }
  } catch (error) {
    unlock()
    throw error
  }
}

/** The system lets go of it with the process, however that ends. */
async function lock(path: string): Promise<() => void> {
  const { DatabaseSync } = await import('node:sqlite')
  const database = new DatabaseSync(join(path, '.lock'), { timeout: 10_000 })
  try {
    database.exec('pragma locking_mode = exclusive; begin exclusive')
  } catch (cause) {
    database.close()
    throw new Error(`another sync of this connector is under way (${toMessage(cause)}); end that one first`, { cause })
  }
  return () => (database.isOpen ? database.close() : undefined)
}

function readManifest(file: string): Manifest | undefined {
  let kept: string
  try {
    kept = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    const manifest = JSON.parse(kept) as Manifest // `write` made it
    if (manifest.format !== 1) throw new Error('it is of another version')
    return manifest
  } catch (cause) {
    throw new Error(`${file} cannot be read: ${toMessage(cause)}`, { cause })
  }
}

/** Whoever reads the file finds what it held before, or all of this. */
function writeSafely(file: string, content: string): void {
  const fresh = `${file}.tmp`
  const handle = openSync(fresh, 'w')
  try {
    writeFileSync(handle, content)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  renameSync(fresh, file)
}

/** Makes a file safe, or the names of the files in a folder. */
export function syncPath(path: string): void {
  const handle = openSync(path, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

/**
 * A name for a file that any file system takes, another one for each name.
 *
 * @example toFileName('a/b') // a%2Fb
 */
export function toFileName(name: string): string {
  const escaped = encodeURIComponent(name)
    .replaceAll(/[*.'()!~]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`)
    // Where upper and lower case are one, they stay two.
    .replaceAll(/(?<!%|%[0-9A-F])[A-Z]/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`)
  // 255 bytes are the limit everywhere.
  return toShortName(escaped, 200)
}

/** What went wrong at a place of files, and what to do. */
export function toFileFailure(place: string, cause: unknown): ConnectorError {
  if (cause instanceof ConnectorError) return cause
  const { code } = cause as NodeJS.ErrnoException
  const hint = code === 'ENOSPC' ? '; make space, and run it again: it goes on at the last checkpoint' : ''
  return new ConnectorError('destination', `${place}: ${toMessage(cause)}${hint}`, { cause })
}
