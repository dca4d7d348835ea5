import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { contractSystem, laterAt, orders, syncedAt } from '../destination-contract.ts'
import type { Row } from '../destination.ts'
import { toDestination, type DestinationKind } from './open.ts'

const mib = 1024 * 1024

/** A file system of its own in memory; undefined where nobody may mount one. */
function mountDisk(bytes: number): { readonly path: string; readonly remove: () => void } | undefined {
  const path = mkdtempSync(join(tmpdir(), 'sluice-disk-'))
  const isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', path]).status === 0
  const remove = (): void => {
    if (isMounted) spawnSync('umount', ['--lazy', path])
    rmSync(path, { recursive: true, force: true })
  }
  if (isMounted) return { path, remove }
  remove()
  return undefined
}

for (const kind of ['duckdb', 'sqlite', 'ndjson', 'parquet'] satisfies DestinationKind[]) {
  test(`${kind}: a disk that fills is no success, and the last commit stays`, async (context) => {
    const disk = mountDisk(8 * mib)
    if (!disk) return context.skip('a small disk needs the right to mount')
    context.after(disk.remove)
    const open = (): ReturnType<ReturnType<typeof toDestination>> =>
      toDestination(kind, {}, disk.path)({ connector: 'shop', system: contractSystem })
    const changes = { table: orders, updates: [], deletes: [] }
    const fill = async (): Promise<void> => {
      await using destination = await open()
      await destination.createTable(orders)
      await destination.write({ ...changes, syncedAt, upserts: [[1, 'kept', 1.5]] })
      await destination.commit('{"kept":true}')
      // No compression makes it small.
      const toText = (): string => Array.from({ length: 500 }, () => Math.random().toString(36)).join('')
      const upserts = Array.from({ length: 3000 }, (_, id): Row => [id + 2, toText(), 0])
      await destination.write({ ...changes, syncedAt: laterAt, upserts })
      await destination.commit('{"lost":true}')
    }
    await assert.rejects(fill(), { kind: 'destination' })
    await using destination = await open()
    assert.equal(await destination.readState(), '{"kept":true}')
    assert.equal(await destination.countRows('orders'), 1)
  })
}
