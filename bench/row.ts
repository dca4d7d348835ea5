import type { LargeLog } from './large-log.ts'

/** One measured line of the table. */
export type Figure = {
  /** what was measured */
  readonly path: string
  /** against what, in the same run; `bar` for absolute ones */
  readonly against: string
  /** `×`, `ms`, `MB` or `s` */
  readonly unit: string
  /** the median of the rounds */
  readonly value: number
  /** one value a round, in the order measured */
  readonly rounds: readonly number[]
  /** undefined: shown for information, no bar */
  readonly bar?: Bar
  /** what stands beside the figure: rates, percentiles, checks */
  readonly details: readonly string[]
}

export type Bar = { readonly must: number; readonly aim: number; readonly better: 'higher' | 'lower' }

export type Row = {
  /** as in `npm run bench -- NAME` */
  readonly name: string
  readonly title: string
  /** left out where there is no Postgres */
  readonly needsPostgres?: true
  readonly run: (context: Context) => Promise<Figure[]>
}

export type Context = {
  /** measured rounds of each side, at least five */
  readonly rounds: number
  /** length of a round under load */
  readonly seconds: number
  /** a new empty folder, removed at the end */
  readonly folder: (name: string) => string
  /** the filled log that several rows share; made when first asked for */
  readonly largeLog: () => Promise<LargeLog>
  /** progress, for people */
  readonly say: (text: string) => void
}
