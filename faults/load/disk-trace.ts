import { closeSync, ftruncateSync, openSync, rmSync, writeSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Random } from './random.ts'

/** One change that a process made to a file, in the order of the trace. */
type DiskWrite =
  | { readonly kind: 'write'; readonly file: string; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly file: string; readonly size: number }
  | { readonly kind: 'remove'; readonly file: string }

/** What a trace holds: every change, and for each whether an fsync of its file was completed after it. */
export type DiskTrace = { readonly changes: readonly DiskWrite[]; readonly isDurable: readonly boolean[] }

/** Arguments for strace so that `parseTrace` understands what it writes. */
export const straceArgs = '-f -y -xx -s 1048576 -e trace=pwrite64,ftruncate,unlink,fsync,fdatasync'.split(' ')

const call = /^(\d+) +(pwrite64|ftruncate|unlink|fsync|fdatasync)\((.*)$/
const resumed = /^(\d+) +<\.\.\. (fsync|fdatasync) resumed>.*= 0$/

/**
 * Reads the output of strace. A change counts from the moment it was asked for; an fsync makes durable what was asked for
 * before it began, and only once it has come back: less than the disk may hold, never more.
 *
 * @param wants which files, by name
 */
export function parseTrace(text: string, wants: (name: string) => boolean): DiskTrace {
  const changes: DiskWrite[] = []
  const isDurable: boolean[] = []
  const syncing = new Map<string, { file: string; upTo: number }>()
  const settle = ({ file, upTo }: { file: string; upTo: number }): void => {
    for (let index = 0; index < upTo; index += 1) if (changes[index]?.file === file) isDurable[index] = true
  }
  for (const line of text.split('\n')) {
    const sync = syncing.get(resumed.exec(line)?.[1] ?? '')
    if (sync !== undefined) settle(sync)
    const [, thread = '', name, rest = ''] = call.exec(line) ?? []
    if (name === undefined) continue
    const change = parseChange(name, rest)
    if (change === undefined || !wants(change.file)) continue
    if (change.kind !== 'sync') {
      changes.push(change)
      // Removing a file is a change of its folder; SQLite removes one only when nothing depends on it any more.
      isDurable.push(change.kind === 'remove')
    } else if (rest.endsWith('<unfinished ...>')) syncing.set(thread, { file: change.file, upTo: changes.length })
    else if (rest.endsWith('= 0')) settle({ file: change.file, upTo: changes.length })
  }
  return { changes, isDurable }
}

function parseChange(name: string, rest: string): DiskWrite | { kind: 'sync'; file: string } | undefined {
  if (name === 'unlink') {
    const [, path] = /^"([^"]*)"/.exec(rest) ?? []
    return path === undefined ? undefined : { kind: 'remove', file: basename(toBytes(path).toString()) }
  }
  const [, path] = /^\d+<([^>]*)>/.exec(rest) ?? []
  if (path === undefined) return undefined
  const file = basename(path.startsWith('\\x') ? toBytes(path).toString() : path)
  if (name === 'fsync' || name === 'fdatasync') return { kind: 'sync', file }
  if (name === 'ftruncate') {
    const [, size] = /^\d+<[^>]*>, (\d+)/.exec(rest) ?? []
    return size === undefined ? undefined : { kind: 'truncate', file, size: Number(size) }
  }
  const [, data, cut, at] = /^\d+<[^>]*>, "([^"]*)"(\.\.\.)?, \d+, (\d+)/.exec(rest) ?? []
  // A write that the kill cut off in the trace was never answered by the disk either.
  if (data === undefined || at === undefined) return undefined
  if (cut !== undefined) throw new Error(`a write of more than 1 MiB to ${file} does not fit the trace`)
  return { kind: 'write', file, at: Number(at), bytes: toBytes(data) }
}

function toBytes(escaped: string): Buffer {
  return Buffer.from(escaped.replaceAll('\\x', ''), 'hex')
}

export type PowerCut = {
  /** the folder as it was when the trace began */
  readonly folder: string
  readonly trace: DiskTrace
  readonly random: Random
  /** the chance that a change which was never synced reached the disk all the same */
  readonly survival: number
}

// What a disk writes whole; a cut in the middle of a write leaves some of its sectors.
const sectorBytes = 512

/** Brings the folder to what a power cut at the end of the trace leaves. Answers how many changes were thrown away. */
export function cutPower({ folder, trace, random, survival }: PowerCut): number {
  let thrownAway = 0
  for (const [index, change] of trace.changes.entries()) {
    if (trace.isDurable[index] === true) applyChange(folder, change, () => true)
    else if (random.chance(survival)) applyChange(folder, change, () => random.chance(0.9))
    else thrownAway += 1
  }
  return thrownAway
}

function applyChange(folder: string, change: DiskWrite, reachesDisk: () => boolean): void {
  const path = join(folder, change.file)
  if (change.kind === 'remove') return rmSync(path, { force: true })
  const file = openSync(path, 'a+')
  closeSync(file)
  const open = openSync(path, 'r+')
  try {
    if (change.kind === 'truncate') return ftruncateSync(open, change.size)
    for (let at = 0; at < change.bytes.length; at += sectorBytes) {
      const sector = change.bytes.subarray(at, at + sectorBytes)
      if (reachesDisk()) writeSync(open, sector, 0, sector.length, change.at + at)
    }
  } finally {
    closeSync(open)
  }
}
