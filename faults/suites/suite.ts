import type { StoreName } from '../load/place.ts'

/** One kind of failure that is made to happen, and what must hold afterwards. */
export type Suite = {
  readonly name: string
  /** in one line, for people */
  readonly what: string
  /** it runs once for each, unless one is asked for */
  readonly stores: readonly StoreName[]
  /** rounds when nobody asks for a number: in the `ci` profile, and on its own */
  readonly rounds: { readonly ci: number; readonly alone: number }
  readonly run: (options: SuiteOptions) => Promise<SuiteResult>
}

export type SuiteOptions = {
  readonly store: StoreName
  readonly rounds: number
  readonly seed: number
  /** a line about the progress, for people */
  readonly tell: (line: string) => void
}

export type SuiteResult = {
  /** the line that says what came out */
  readonly summary: string
  /** for the table and for programs */
  readonly figures: Readonly<Record<string, number>>
  /** what should not have happened; none means passed */
  readonly violations: readonly string[]
  /** why this machine cannot make that failure happen */
  readonly skipped?: string
}
