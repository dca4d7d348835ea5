import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import { HubError } from '@sluice/protocol/error'
import { countMigrations } from './database.ts'
import { openSqliteStore } from './store.ts'

export type BackupOptions = {
  /** the data folder; a hub may run on it */
  readonly data: string
  /** a new file */
  readonly file: string
  readonly onProgress?: (share: number) => void
}

/** Pages of one step; between two of them others have the processor. */
const stepPages = 2000

/**
 * Copies the database as it is at this instant into one file, and reads the copy through. The secret key is not in it.
 *
 * @throws HubError `conflict` if there is such a file already
 */
export async function backupFolder({ data, file, onProgress }: BackupOptions): Promise<{ bytes: number }> {
  if (existsSync(file)) throw new HubError('conflict', `${file} is there already; remove it, or take another name`)
  const unfinished = `${file}.unfinished`
  const source = new DatabaseSync(join(data, 'sluice.db'), { readOnly: true, timeout: 10_000 })
  try {
    rmSync(unfinished, { force: true })
    // It holds all payloads: nobody else reads it.
    closeSync(openSync(unfinished, 'wx', 0o600))
    // In a transaction the copy is of one state: without it, it would begin anew whenever the hub commits.
    source.exec('begin')
    source.prepare('select count(*) from sqlite_schema').get()
    const pages = await backup(source, unfinished, {
      rate: stepPages,
      progress: ({ totalPages, remainingPages }) => onProgress?.(1 - remainingPages / Math.max(1, totalPages)),
    })
    const { page_size: pageSize } = source.prepare('pragma page_size').get() ?? {}
    readThrough(unfinished)
    sync(unfinished)
    renameSync(unfinished, file)
    sync(dirname(file))
    return { bytes: pages * Number(pageSize) }
  } catch (error) {
    rmSync(unfinished, { force: true })
    throw error
  } finally {
    source.close()
  }
}

/** Also of a folder: then the new name of a file in it is on disk. */
function sync(path: string): void {
  const descriptor = openSync(path, 'r')
  fsyncSync(descriptor)
  closeSync(descriptor)
}

/** One file without a write-ahead log beside it, in order and of a version that this code knows. */
function readThrough(file: string): void {
  const db = new DatabaseSync(file)
  try {
    db.exec('pragma journal_mode = delete')
    const found = db.prepare('pragma integrity_check(1)').get()?.['integrity_check']
    if (found !== 'ok') throw new HubError('conflict', `${file} is damaged: ${String(found)}`)
    const version = Number(db.prepare('pragma user_version').get()?.['user_version'])
    const known = countMigrations()
    if (version > known)
      throw new HubError(
        'conflict',
        `${file} is of version ${version}, this Sluice knows ${known}; install the newer one`,
      )
    const tables = db.prepare(`select count(*) as count from sqlite_schema where name in ('workspace', 'inbox')`).get()
    if (version < 1 || tables?.['count'] !== 2) throw new HubError('conflict', `${file} is no backup of Sluice`)
  } catch (cause) {
    if (cause instanceof HubError) throw cause
    const said = cause instanceof Error ? cause.message : String(cause)
    throw new HubError('conflict', `${file} is no backup of Sluice, or is damaged: ${said}`, { cause })
  } finally {
    db.close()
  }
}

/** What may be in a folder that a backup is restored into. */
const allowed: ReadonlySet<string> = new Set(['secret.key', 'restoring'])

/**
 * Makes a data folder of a backup. What is published from then on gets ids that nobody has seen: positions after the backup
 * are given out a second time, and an id of then must not stand for an event of now.
 *
 * @throws HubError `conflict` if the folder holds something, or the file is damaged or no backup
 */
export async function restoreFolder({ data, file }: Pick<BackupOptions, 'data' | 'file'>): Promise<void> {
  if (!existsSync(file)) throw new HubError('not-found', `there is no file ${file}`)
  const [inTheWay] = existsSync(data) ? readdirSync(data).filter((name) => !allowed.has(name)) : []
  if (inTheWay !== undefined)
    throw new HubError('conflict', `${data} is not empty: it holds ${inTheWay}; restore into a new folder`)
  const restoring = join(data, 'restoring')
  rmSync(restoring, { recursive: true, force: true })
  mkdirSync(restoring, { recursive: true, mode: 0o700 })
  const copy = join(restoring, 'sluice.db')
  try {
    copyFileSync(file, copy)
    readThrough(copy)
    const store = await openSqliteStore({ path: restoring })
    try {
      await store.moving.renewTags()
    } finally {
      await store.close()
    }
    // What the store has written may still stand in its write-ahead log.
    readThrough(copy)
    sync(copy)
    renameSync(copy, join(data, 'sluice.db'))
    sync(data)
  } finally {
    rmSync(restoring, { recursive: true, force: true })
  }
}
