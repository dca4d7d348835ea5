import { execFile, spawnSync } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  existsSync,
  ftruncateSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Random } from './random.ts'

/**
 * A disk of its own with a real file system (ext4 through a loop device), whose power can be cut: what was written and not
 * yet synced is gone, unless the system happened to have written it out.
 */
export type Volume = {
  /** where it is mounted */
  readonly path: string
  /** Makes all that is there now durable. */
  readonly sync: () => void
  /** Writes out a random part of the files, as the system does when it likes. */
  readonly writeSome: (random: Random) => Promise<void>
  /** From some instant on nothing reaches the disk any more, whoever has it open. The load must go on until then. */
  readonly cutPower: () => Promise<void>
  /** Mounts what is on the disk; its file system repeats its journal. All that had files open there must have ended. */
  readonly powerOn: () => Promise<void>
  readonly remove: () => void
}

const volumeBytes = 768 * 1024 * 1024
// As many as are written while a load of a second goes on.
const writtenFiles = 12
const unmountMs = 10_000

/** EXT4_IOC_SHUTDOWN, without writing out the journal: what tests of file systems cut the power with. */
const shutdown = `
import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587D, struct.pack('I', 2))`

/** False, or what this machine lacks. */
export function skipWithoutVolumes(): string | false {
  return existsSync('/dev/loop-control') ? false : 'this machine has no loop devices'
}

/** @throws without the right to mount */
export function createVolume(): Volume {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-faults-volume-'))
  const path = join(folder, 'mounted')
  const disk = join(folder, 'disk')
  const mount = (): void => run('mount', ['-o', 'loop', disk, path])
  const remove = (): void => {
    spawnSync('umount', ['--lazy', path])
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    mkdirSync(path)
    const file = openSync(disk, 'w')
    ftruncateSync(file, volumeBytes)
    closeSync(file)
    run('mkfs.ext4', ['-q', disk])
    mount()
    // The server runs as another user, and makes its folder here.
    for (const each of [folder, path]) chmodSync(each, 0o755)
  } catch (error) {
    remove()
    throw error
  }
  return {
    path,
    sync: () => run('sync', ['-f', path]),
    writeSome: async (random) => {
      const found = globSync('**/data/{base,global,pg_xact,pg_wal}/**', { cwd: path, withFileTypes: true })
      const files = found.filter((each) => each.isFile()).map(({ parentPath, name }) => join(parentPath, name))
      for (let left = Math.min(files.length, writtenFiles); left > 0; left -= 1) {
        // One that has gone meanwhile is none of those that are written.
        await start('sync', [files[random.between(0, files.length - 1)] ?? path]).catch(() => undefined)
      }
    },
    cutPower: async () => void (await start('python3', ['-c', shutdown, path])),
    powerOn: async () => {
      const endMs = Date.now() + unmountMs
      while (spawnSync('umount', [path]).status !== 0) {
        if (Date.now() > endMs) throw new Error(`${path} cannot be unmounted: something has files open there`)
        await sleep(50)
      }
      mount()
    },
    remove,
  }
}

const start = promisify(execFile)

function run(command: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' })
  if (status === 0) return
  const said = error?.message ?? stderr.trim()
  throw new Error(`a disk whose power can be cut needs loop devices, ext4, python3 and root: ${command}: ${said}`)
}
