import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Check } from './check.ts'
import { checkOpens } from './store.ts'

const tightBytes = 100 * 2 ** 20
const lowBytes = 2 ** 30

/** The folder, or the nearest one above it that exists, must be writable and have room. */
export function checkFolder(data: string): Check {
  const name = 'data'
  const folder = nearest(resolve(data))
  try {
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch {
    return {
      name,
      status: 'fail',
      found: `${folder} cannot be written`,
      todo: `make it yours (chown), or choose another folder with --data`,
    }
  }
  const { bavail, bsize } = statfsSync(folder)
  const free = bavail * bsize
  const found = `${resolve(data)}, ${toSize(free)} free`
  const todo = 'make room on that disk, or choose another with --data; when it is full, publishing answers 503'
  if (free < tightBytes) return { name, status: 'fail', found, todo }
  return free < lowBytes ? { name, status: 'warn', found, todo } : { name, status: 'ok', found }
}

export function checkSecretKey(data: string): Check {
  const name = 'secret key'
  const file = join(resolve(data), 'secret.key')
  if (!existsSync(file))
    return { name, status: 'ok', found: 'none yet; the first start makes one, unless SLUICE_SECRET_KEY is set' }
  const mode = statSync(file).mode & 0o777
  if (process.platform === 'win32' || (mode & 0o077) === 0) return { name, status: 'ok', found: file }
  return {
    name,
    status: 'fail',
    found: `others may read ${file} (mode ${mode.toString(8)})`,
    todo: `chmod 600 ${file}`,
  }
}

/** Opens it the way `sluice keys` does, so that a running hub is not disturbed. */
export async function checkStore(data: string): Promise<Check> {
  const name = 'store'
  if (!existsSync(join(resolve(data), 'sluice.db'))) {
    return { name, status: 'ok', found: 'none yet; the first start makes one: sluice start' }
  }
  return checkOpens(
    async () => (await import('@sluice/hub')).openLocalAdmin({ data, exclusive: false }),
    'see whether the disk is healthy; restore the folder from a backup',
  )
}

function nearest(folder: string): string {
  return existsSync(folder) ? folder : nearest(dirname(folder))
}

function toSize(bytes: number): string {
  return bytes < lowBytes ? `${Math.floor(bytes / 2 ** 20)} MiB` : `${(bytes / 2 ** 30).toFixed(1)} GiB`
}
