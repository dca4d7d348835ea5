import { mkdir, open, type FileHandle } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { DeadLetterRecord } from '../dead-letter.ts'

/** Says of a record in a dead-letter file that the hub has its event now. A line of its own: what was written stays. */
export type DeadLetterMark = {
  readonly dead_letter_id: string
  /** ISO 8601 UTC */
  readonly sent_at: string
  readonly event_id: string
  readonly status: 'accepted' | 'duplicate' | 'quarantined' | 'scheduled'
}

export type JsonlFile = {
  readonly path: string
  /** Resolves when the line is on disk (fsync). Any number may be written at once: those that wait share an fsync. */
  write(line: DeadLetterRecord | DeadLetterMark): Promise<void>
}

/**
 * A dead-letter file for `createSluice({ deadLetter })`: one JSON object a line, only ever appended to. Lines of several
 * processes stand beside each other, and a process that dies while it writes spoils no line but its own. The file is made
 * when the first record comes, with the folders above it, for its owner's eyes only: payloads stand in it. Nothing is kept open between writes,
 * so it may be moved away at any time.
 *
 * @param path as seen from the working folder of now
 * @throws from `write`: what the file system says, say that the disk is full
 * @example createSluice({ deadLetter: jsonlFile('dead-letters.jsonl') })
 */
export function jsonlFile(path: string): JsonlFile {
  const file = resolve(path)
  type Waiting = { readonly text: string } & Pick<PromiseWithResolvers<void>, 'resolve' | 'reject'>
  let waiting: Waiting[] = []
  let isWriting = false
  const writeAll = async (): Promise<void> => {
    isWriting = true
    while (waiting.length > 0) {
      const group = waiting
      waiting = []
      const texts = group.map(({ text }) => text)
      const outcome = await append(file, texts).then(
        () => undefined,
        (error: unknown) => ({ error }),
      )
      for (const one of group) {
        if (outcome) one.reject(outcome.error)
        else one.resolve()
      }
    }
    isWriting = false
  }
  return {
    path: file,
    write: async (line) => {
      const { promise, ...waiter } = Promise.withResolvers<void>()
      waiting.push({ text: `${JSON.stringify(line)}\n`, ...waiter })
      if (!isWriting) void writeAll()
      await promise
    },
  }
}

async function append(path: string, lines: readonly string[]): Promise<void> {
  const folder = dirname(path)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await using file = await open(path, 'a+', 0o600)
  const { size } = await file.stat()
  let isTorn = size > 0 && (await endsTorn(file, size))
  for (const line of lines) {
    // In one call, at the end wherever that is by then: others append, too.
    const bytes = Buffer.from(isTorn ? `\n${line}` : line)
    const { bytesWritten } = await file.write(bytes)
    if (bytesWritten < bytes.length)
      throw new Error(`${path} took ${bytesWritten} of ${bytes.length} bytes: is the disk full?`)
    isTorn = false
  }
  await file.sync()
  if (size === 0) await syncFolder(folder)
}

/** Somebody died, or the disk was full, in the middle of the last line. */
async function endsTorn(file: FileHandle, size: number): Promise<boolean> {
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1)
  return buffer[0] !== 10
}

/** A new file is only there after a power cut when its folder was synced, too. Windows does this by itself. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  await using folder = await open(path, 'r')
  await folder.sync()
}
