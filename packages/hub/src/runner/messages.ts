import type { Envelope, RunOrder } from './runner.ts'

/** To the process that runs handlers. */
export type ToChild = {
  readonly id: number
  readonly order: Pick<RunOrder, 'call' | 'auth' | 'metadata'>
}

/** From it. */
export type FromChild =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly id: number; readonly envelope: Envelope }

/** What the process is started with. */
export type ChildSetup = { readonly folder: string; readonly allowCidr: readonly string[] }
