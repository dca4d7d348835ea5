import { parentPort } from 'node:worker_threads'
import type { Fault } from '@sluice/protocol'
import { applyMapping, checkMapping } from './expressions.ts'

/** `mapping` and `event` are JSON texts. */
export type ToTransform =
  | { readonly kind: 'check'; readonly mapping: string }
  | { readonly kind: 'apply'; readonly mapping: string; readonly event: string; readonly maxBytes: number }
export type FromTransform =
  | { readonly kind: 'ready' }
  | { readonly kind: 'checked'; readonly faults: readonly Fault[] }
  | { readonly kind: 'made'; readonly value: string }
  | { readonly kind: 'fault'; readonly fault: Fault }

// Expressions of all tenants pass through here: what one does to an object, no other meets. Not frozen: nobody could then make an
// object with a member of its own that has the name of an inherited one.
Reflect.deleteProperty(Object.prototype, '__proto__')
for (const { prototype } of [Object, Array, Function, String, Number, Boolean, RegExp, Date, Promise, Map, Set, Error])
  void Object.preventExtensions(prototype)

async function serve(order: ToTransform): Promise<FromTransform> {
  const mapping: unknown = JSON.parse(order.mapping)
  if (order.kind === 'check') return { kind: 'checked', faults: checkMapping(mapping) }
  const made = await applyMapping(mapping, JSON.parse(order.event))
  if ('fault' in made) return { kind: 'fault', fault: made.fault }
  const value = JSON.stringify(made.value ?? null)
  if (Buffer.byteLength(value) <= order.maxBytes) return { kind: 'made', value }
  return { kind: 'fault', fault: { pointer: '', detail: `gives more than ${order.maxBytes} bytes` } }
}

parentPort?.on('message', (order: ToTransform) => {
  void serve(order).then(
    (answer) => parentPort?.postMessage(answer),
    (error: unknown) => {
      const detail = error instanceof Error ? error.message : String(error)
      parentPort?.postMessage({ kind: 'fault', fault: { pointer: '', detail } } satisfies FromTransform)
    },
  )
})
parentPort?.postMessage({ kind: 'ready' } satisfies FromTransform)
