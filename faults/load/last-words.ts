import type { Target } from './request.ts'

/** How far a consumer comes before it is killed. */
export const phases = ['waiting', 'lease-sent', 'leased', 'handling', 'before-ack', 'ack-sent'] as const
export type Phase = (typeof phases)[number]

/** What a doomed consumer is told. */
export type DoomedOrder = {
  readonly target: Target
  readonly inbox: string
  readonly phase: Phase
  readonly leaseSeconds: number
}

/** What it knew when it stopped: ids it had been given, ids whose acknowledgement it had seen confirmed. */
export type LastWords = {
  readonly leased: readonly string[]
  readonly acked: readonly string[]
  readonly leasedUntil: string | null
}

export function parseOrder(text: string): DoomedOrder {
  return JSON.parse(text) as DoomedOrder // written by the suite that starts the process
}
