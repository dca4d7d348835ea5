import type { RunOrder } from './runner.ts'

/** To the process that runs handlers: a line of JSON on its stdin. */
export type ToChild =
  | {
      readonly kind: 'run'
      readonly id: number
      readonly order: Pick<RunOrder, 'call' | 'auth' | 'metadata'> & {
        /** requests with its account are asked for, each */
        readonly asks: boolean
        readonly dryRun: boolean
      }
    }
  /** The run should end by itself, and soon. */
  | { readonly kind: 'cancel'; readonly id: number }
  /** Leave for a request, or the seconds after which there is some. */
  | { readonly kind: 'permit'; readonly id: number; readonly number: number; readonly retryAfter: number | null }

/** What the process is started with. */
export type ChildSetup = {
  readonly folder: string
  readonly allowCidr: readonly string[]
  /** where `@sluice/sdk/…` is, for handlers that do not bring it */
  readonly sdk: Readonly<Record<string, string>>
}

/** The pipe on which the process answers, a line of JSON for each answer; what handlers print does not get there. */
export const answersFd = 3
/** An answer may be so long; a process that writes more is ended. */
export const answerBytes = 8 * 1024 * 1024
