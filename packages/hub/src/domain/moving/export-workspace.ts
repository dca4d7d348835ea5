import { randomUUID } from 'node:crypto'
import type { Store, WorkspaceRow } from '../../store/store.ts'
import { createLinePrinter, type End } from './lines.ts'

export type ExportOrder = {
  readonly workspace: WorkspaceRow
  /** of this Sluice, for whoever looks into the file */
  readonly version: string
  /** Takes the next part of the file; the export waits for it. */
  readonly write: (text: string) => Promise<void>
  readonly onProgress?: ((events: number) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** Writes out everything that a workspace holds at this instant. */
export async function exportWorkspace(store: Store, order: ExportOrder): Promise<End> {
  const { workspace, version, write, onProgress, signal } = order
  const printer = createLinePrinter()
  let events = 0
  await write(
    printer.header({ id: randomUUID(), workspace: workspace.key, exportedMs: store.nowMs(), sluice: version }),
  )
  await store.moving.exportRows(workspace.id, async (rows) => {
    signal?.throwIfAborted()
    await write(rows.map((row) => printer.row(row)).join('') + printer.mark())
    events += rows.filter(({ kind }) => kind === 'event').length
    onProgress?.(events)
  })
  const { text, end } = printer.end()
  await write(text)
  return end
}
