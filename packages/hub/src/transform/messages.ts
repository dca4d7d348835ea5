import type { Fault } from '@sluice/protocol'

/** To the process that runs expressions: a line of JSON on its stdin. `event` is JSON text. */
export type ToTransform =
  | { readonly kind: 'check'; readonly mapping: unknown }
  | { readonly kind: 'apply'; readonly mapping: unknown; readonly event: string; readonly maxBytes: number }

/** What it says: a line of JSON on its stdout. */
export type FromTransform =
  | { readonly kind: 'ready' }
  | { readonly kind: 'checked'; readonly faults: readonly Fault[] }
  | { readonly kind: 'made'; readonly value: unknown }
  | { readonly kind: 'fault'; readonly fault: Fault }

/** A line may be so long. */
export const lineBytes = 16 * 1024 * 1024
